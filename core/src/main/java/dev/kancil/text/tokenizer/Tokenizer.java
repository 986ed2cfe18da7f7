package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufMetadata;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A model's tokenizer: text to token ids and back. Immutable, and used by any number of threads at
 * once.
 */
public abstract sealed class Tokenizer
    permits BytePairTokenizer, PipelineTokenizer, SentencePieceTokenizer, WordPieceTokenizer {
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
      case "t5" -> SentencePieceFile.read(metadata);
      default ->
          throw new UnsupportedException(
              metadata.file()
                  + ": the tokenizer "
                  + model
                  + " is not supported; supported are gpt2, llama, bert and t5");
    };
  }

  /**
   * The tokenizer of a {@code tokenizer.json}, the file of Hugging Face's library. No token of it
   * has a role, since other files say which; they are in files beside it.
   *
   * @throws FormatException if the file is damaged or contradicts itself
   * @throws UnsupportedException if it asks for what is not known
   */
  public static Tokenizer ofJson(Path file) {
    return TokenizerJson.read(file.toString(), TokenizerJson.text(file));
  }

  /**
   * The tokenizer of a {@code tokenizer.model} of SentencePiece, a unigram or BPE model. It adds no
   * tokens to a text; what a model wants around one is in files beside it.
   *
   * @throws FormatException if the file is damaged or contradicts itself
   * @throws UnsupportedException if it is of another kind
   */
  public static Tokenizer ofSentencePiece(Path file) {
    return SentencePieceFile.read(file);
  }

  /**
   * The tokenizer of a file of tiktoken, which has lines of tokens in base64 and their ranks.
   *
   * @param pattern what cuts a text into words, as tiktoken takes it; what lies between its matches
   *     is left out
   * @param special names and ids of control tokens
   * @throws FormatException if the file is damaged, or the pattern invalid or not supported
   */
  public static Tokenizer ofTiktoken(Path file, String pattern, Map<String, Integer> special) {
    return TiktokenFile.read(file.toString(), TokenizerJson.text(file), pattern, special);
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
    specialTokens.split(bytes, 0, bytes.length, parseSpecial, pass(ids, parseSpecial));
    if (addSpecial) {
      addEnd(ids);
    }
    return ids.toArray();
  }

  /**
   * The ids of two texts that belong together, as a question and its answer, with the tokens that
   * the model wants before, between and after them.
   *
   * @param parseSpecial as in {@link #encode}
   */
  public final TextPair encodePair(String first, String second, boolean parseSpecial) {
    return pair(encode(first, false, parseSpecial), encode(second, false, parseSpecial));
  }

  private TextPair pair(int[] first, int[] second) {
    IdBuffer ids = new IdBuffer(first.length + second.length + 8);
    addPairBeginning(ids);
    add(first, ids);
    addBetween(ids);
    int start = ids.size();
    add(second, ids);
    addPairEnd(ids);
    return new TextPair(ids.toArray(), start);
  }

  private static void add(int[] more, IdBuffer ids) {
    for (int id : more) {
      ids.add(id);
    }
  }

  /**
   * The ids of a text with the tokens around it, at most so many, if those around leave room: of a
   * longer text the end is left out.
   *
   * @param text whose names of control tokens mean nothing
   */
  public final int[] encodeWithin(int most, String text) {
    int[] whole = encode(text, true, false);
    int around = encode("", true, false).length;
    if (whole.length <= Math.max(most, around)) {
      return whole;
    }
    IdBuffer ids = new IdBuffer(whole.length);
    addBeginning(ids);
    add(Arrays.copyOf(encode(text, false, false), Math.max(0, most - around)), ids);
    addEnd(ids);
    return ids.toArray();
  }

  /**
   * As {@link #encodePair}, with at most so many ids, if those around leave room: the ends of both
   * texts are left out as Hugging Face's library does it, of the longer one first.
   */
  public final TextPair encodePairWithin(int most, String first, String second) {
    int[] before = encode(first, false, false);
    int[] after = encode(second, false, false);
    int room = Math.max(0, most - pair(new int[0], new int[0]).ids().length);
    if (before.length + after.length <= room) {
      return pair(before, after);
    }
    int shorter = Math.min(before.length, after.length);
    int longer = Math.max(shorter, room - shorter);
    if (shorter + longer > room) {
      shorter = room / 2;
      longer = room - shorter;
    }
    boolean isFirstLonger = before.length > after.length;
    return pair(
        Arrays.copyOf(before, isFirstLonger ? longer : shorter),
        Arrays.copyOf(after, isFirstLonger ? shorter : longer));
  }

  /**
   * The text of a sequence of ids from its beginning; control tokens have none. Bytes that form no
   * character become U+FFFD.
   *
   * @throws InvalidRequestException if an id is not in the vocabulary
   */
  public final String decode(int[] ids) {
    Decoding decoding = decoding(true);
    StringBuilder text = new StringBuilder(4 * ids.length);
    for (int id : ids) {
      check(id);
      decoding.next(id, text);
    }
    decoding.end(text);
    return text.toString();
  }

  /** A decoder for ids that come one by one, from the beginning of a text. */
  public final StreamingDecoder decoder() {
    return new StreamingDecoder(this, decoding(true));
  }

  /**
   * A decoder for ids that go on from others, as what a model generates goes on from its prompt: a
   * space before the first word is then part of the text.
   */
  public final StreamingDecoder continuationDecoder() {
    return new StreamingDecoder(this, decoding(false));
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

  /**
   * What encodes one text and appends to the ids.
   *
   * @param controlTokens whether the names of control tokens mean these tokens
   */
  abstract EncodingPass pass(IdBuffer ids, boolean controlTokens);

  /**
   * What makes text of ids.
   *
   * @param atStart whether the first of them begins a text
   */
  Decoding decoding(boolean atStart) {
    return new ByteDecoding(this, atStart && addsSpace());
  }

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

  /** What stands before the first of two texts. */
  void addPairBeginning(IdBuffer ids) {
    addBeginning(ids);
  }

  /** What stands between two texts. */
  void addBetween(IdBuffer ids) {
    addEnd(ids);
    addBeginning(ids);
  }

  /** What stands behind the second of two texts. */
  void addPairEnd(IdBuffer ids) {
    addEnd(ids);
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

  final void check(int id) {
    if (id < 0 || id >= vocabulary.size()) {
      throw new InvalidRequestException(
          "the token id " + id + " is not in the vocabulary of " + vocabulary.size() + " tokens");
    }
  }

  private static Optional<Integer> boxed(OptionalInt id) {
    return id.isPresent() ? Optional.of(id.getAsInt()) : Optional.empty();
  }
}
