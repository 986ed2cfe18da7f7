package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufMetadata;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model's tokenizer: text to token ids and back. Immutable, and used by any number of threads at
 * once.
 */
public abstract sealed class Tokenizer
    permits BytePairTokenizer, SentencePieceTokenizer, WordPieceTokenizer {
  private final Vocabulary vocabulary;
  private final TokenRoles roles;
  private final SpecialTokens specialTokens;

  Tokenizer(Vocabulary vocabulary, TokenRoles roles, SpecialTokens specialTokens) {
    this.vocabulary = vocabulary;
    this.roles = roles;
    this.specialTokens = specialTokens;
  }

  /**
   * The tokenizer that a file's metadata describes, by {@code tokenizer.ggml.model}.
   *
   * @throws FormatException if the metadata is incomplete or contradicts itself
   * @throws UnsupportedException if the tokenizer or its pre-tokenizer is of an unknown kind
   */
  public static Tokenizer of(GgufMetadata metadata) {
    String model =
        metadata
            .string("tokenizer.ggml.model")
            .orElseThrow(
                () -> new FormatException(metadata.file() + ": it has no tokenizer.ggml.model"));
    return switch (model) {
      case "gpt2" -> BytePairTokenizer.read(metadata);
      case "llama" -> SentencePieceTokenizer.read(metadata);
      case "bert" -> WordPieceTokenizer.read(metadata);
      default ->
          throw new UnsupportedException(
              metadata.file()
                  + ": the tokenizer "
                  + model
                  + " is not supported; supported are gpt2, llama and bert");
    };
  }

  /**
   * The ids of a text.
   *
   * @param text any text; surrogates without a partner count as U+FFFD
   * @param addSpecial whether to add the tokens that the model wants before and after a text
   * @param parseSpecial whether the names of control tokens in the text mean these tokens; leave it
   *     off for text that comes from others
   */
  public final int[] encode(String text, boolean addSpecial, boolean parseSpecial) {
    byte[] bytes = Utf8.encode(text);
    IdBuffer ids = new IdBuffer(bytes.length / 3 + 8);
    if (addSpecial) {
      addBeginning(ids);
    }
    specialTokens.split(bytes, parseSpecial, pass(ids));
    if (addSpecial) {
      addEnd(ids);
    }
    return ids.toArray();
  }

  /**
   * The text of a sequence of ids from its beginning; control tokens have none. Bytes that form no
   * character become U+FFFD.
   *
   * @throws InvalidRequestException if an id is not in the vocabulary
   */
  public final String decode(int[] ids) {
    boolean atStart = addsSpace();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(4 * ids.length);
    for (int id : ids) {
      byte[] more = visibleBytes(id);
      int skipped = atStart && more.length > 0 && more[0] == ' ' ? 1 : 0;
      atStart = atStart && more.length == 0;
      bytes.write(more, skipped, more.length - skipped);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** A decoder for ids that come one by one, from the beginning of a text. */
  public final StreamingDecoder decoder() {
    return new StreamingDecoder(this, addsSpace());
  }

  /**
   * A decoder for ids that go on from others, as what a model generates goes on from its prompt: a
   * space before the first word is then part of the text.
   */
  public final StreamingDecoder continuationDecoder() {
    return new StreamingDecoder(this, false);
  }

  /** How many tokens there are; ids are 0 to one less. */
  public final int vocabularySize() {
    return vocabulary.size();
  }

  /**
   * A token's text as the vocabulary stores it, with its stand-ins for spaces and bytes.
   *
   * @throws InvalidRequestException if the id is not in the vocabulary
   */
  public final String piece(int id) {
    check(id);
    return vocabulary.text(id);
  }

  /**
   * The bytes that a token stands for; a control token's are those of its name.
   *
   * @throws InvalidRequestException if the id is not in the vocabulary
   */
  public final byte[] bytes(int id) {
    check(id);
    return textBytes(id);
  }

  /** The token with exactly this text as stored. */
  public final Optional<Integer> find(String piece) {
    int id = piece.isEmpty() ? -1 : vocabulary.find(piece);
    return id < 0 ? Optional.empty() : Optional.of(id);
  }

  /**
   * Whether a token is a control or unknown token, which never stands for text.
   *
   * @throws InvalidRequestException if the id is not in the vocabulary
   */
  public final boolean isSpecial(int id) {
    check(id);
    return vocabulary.is(id, Vocabulary.CONTROL | Vocabulary.UNKNOWN);
  }

  public final Optional<Integer> beginningOfSequence() {
    return boxed(roles.beginning());
  }

  public final Optional<Integer> endOfSequence() {
    return boxed(roles.end());
  }

  /** All ids after which generation ends: end of sequence, of turn, of message, and their like. */
  public final Set<Integer> endOfGeneration() {
    return roles.endOfGeneration();
  }

  /** Whether {@link #encode} with special tokens begins with that of the beginning. */
  public final boolean addsBeginningOfSequence() {
    return roles.addsBeginning() && roles.beginning().isPresent();
  }

  /** Whether {@link #encode} with special tokens ends with that of the end. */
  public final boolean addsEndOfSequence() {
    return roles.addsEnd() && roles.end().isPresent();
  }

  /** What encodes one text and appends to the ids. */
  abstract EncodingPass pass(IdBuffer ids);

  /** The bytes of a token that is in the vocabulary. */
  abstract byte[] textBytes(int id);

  /** Whether a text is encoded with a space before it, which decoding takes away. */
  boolean addsSpace() {
    return false;
  }

  void addBeginning(IdBuffer ids) {
    if (addsBeginningOfSequence()) {
      roles.beginning().ifPresent(ids::add);
    }
  }

  void addEnd(IdBuffer ids) {
    if (addsEndOfSequence()) {
      roles.end().ifPresent(ids::add);
    }
  }

  /** The bytes of a token in a decoded text: none for control tokens. */
  final byte[] visibleBytes(int id) {
    return isSpecial(id) ? new byte[0] : textBytes(id);
  }

  final Vocabulary vocabulary() {
    return vocabulary;
  }

  final TokenRoles roles() {
    return roles;
  }

  private void check(int id) {
    if (id < 0 || id >= vocabulary.size()) {
      throw new InvalidRequestException(
          "the token id " + id + " is not in the vocabulary of " + vocabulary.size() + " tokens");
    }
  }

  private static Optional<Integer> boxed(OptionalInt id) {
    return id.isPresent() ? Optional.of(id.getAsInt()) : Optional.empty();
  }
}
