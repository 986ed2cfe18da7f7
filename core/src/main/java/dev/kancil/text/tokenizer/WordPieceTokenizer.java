package dev.kancil.text.tokenizer;

import dev.kancil.format.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.stream.IntStream;

/**
 * WordPiece as BERT uses it (Devlin et al. 2019): text is lower-cased and stripped of accents, cut
 * at white space, punctuation and Chinese characters, and each word is covered by the longest
 * pieces from the left. Pieces that begin a word are stored with a {@code ▁} before them.
 */
final class WordPieceTokenizer extends Tokenizer {
  private static final byte[] WORD_START = "▁".getBytes(StandardCharsets.UTF_8);

  private final ByteTrie pieces;
  private final boolean lowerCase;
  private final boolean stripAccents;

  private WordPieceTokenizer(
      Vocabulary vocabulary,
      TokenRoles roles,
      SpecialTokens specialTokens,
      boolean lowerCase,
      boolean stripAccents) {
    super(vocabulary, roles, specialTokens);
    this.lowerCase = lowerCase;
    this.stripAccents = stripAccents;
    pieces =
        new ByteTrie(
            vocabulary.file(), vocabulary, IntStream.range(0, vocabulary.size()).toArray());
  }

  static WordPieceTokenizer read(GgufMetadata metadata) {
    Vocabulary vocabulary = Vocabulary.read(metadata);
    TokenRoles roles =
        TokenRoles.read(metadata, vocabulary, new TokenRoles.Defaults(101, -1, 100, 102, true));
    boolean lowerCase = metadata.bool("tokenizer.ggml.normalizer.lowercase").orElse(true);
    return new WordPieceTokenizer(
        vocabulary,
        roles,
        SpecialTokens.of(metadata, vocabulary),
        lowerCase,
        metadata.bool("tokenizer.ggml.normalizer.strip_accents").orElse(lowerCase));
  }

  @Override
  EncodingPass pass(IdBuffer ids, boolean controlTokens) {
    return new Pass(ids);
  }

  /** A BERT text always begins with its class token and ends with a separator. */
  @Override
  void addEnd(IdBuffer ids) {
    roles().separator().ifPresent(ids::add);
  }

  @Override
  void addBeginning(IdBuffer ids) {
    roles().beginning().ifPresent(ids::add);
  }

  @Override
  void addBetween(IdBuffer ids) {
    addEnd(ids);
  }

  @Override
  boolean addsSpace() {
    return true;
  }

  @Override
  byte[] textBytes(int id) {
    String text = vocabulary().text(id);
    boolean plain =
        !vocabulary().is(id, Vocabulary.CONTROL | Vocabulary.UNKNOWN | Vocabulary.USER_DEFINED);
    return (plain ? text.replace('▁', ' ') : text).getBytes(StandardCharsets.UTF_8);
  }

  private final class Pass extends EncodingPass {
    private final StringBuilder word = new StringBuilder();

    Pass(IdBuffer ids) {
      super(ids);
    }

    @Override
    void text(byte[] text, int from, int to) {
      for (int at = from; at < to; at += Utf8.length(text[at])) {
        int code = Utf8.codeAt(text, at);
        character(stripAccents ? withoutAccent(code) : code);
      }
      endWord();
    }

    private void character(int code) {
      int kind = CharacterClass.ofCode(code);
      if (kind == CharacterClass.SPACE) {
        endWord();
        return;
      }
      if (code == 0
          || code == 0xFFFD
          || isControl(code)
          || (stripAccents && kind == CharacterClass.MARK)) {
        return;
      }
      boolean alone =
          kind == CharacterClass.PUNCTUATION
              || (code < 0x7F && kind == CharacterClass.SYMBOL)
              || isChinese(code);
      if (alone) {
        endWord();
      }
      word.appendCodePoint(lowerCase ? Character.toLowerCase(code) : code);
      if (alone) {
        endWord();
      }
    }

    private void endWord() {
      if (word.isEmpty()) {
        return;
      }
      byte[] letters = word.toString().getBytes(StandardCharsets.UTF_8);
      word.setLength(0);
      int before = ids.size();
      int start = 0;
      int node = 0;
      for (byte value : WORD_START) {
        node = node == 0 && value != WORD_START[0] ? 0 : pieces.child(node, value);
      }
      do {
        int end = start;
        int id = -1;
        for (int at = start; node != 0 || at == start; ) {
          if (at == letters.length) {
            break;
          }
          node = pieces.child(node, letters[at++]);
          if (node != 0 && pieces.token(node) >= 0) {
            id = pieces.token(node);
            end = at;
          }
        }
        if (id < 0) {
          ids.truncate(before);
          roles().unknown().ifPresent(ids::add);
          return;
        }
        ids.add(id);
        start = end;
        node = 0;
      } while (start < letters.length);
    }
  }

  /** The first character of the canonical decomposition: the letter without its accents. */
  private static int withoutAccent(int code) {
    return code < 0xC0
        ? code
        : Normalizer.normalize(Character.toString(code), Normalizer.Form.NFD).codePointAt(0);
  }

  private static boolean isControl(int code) {
    return switch (Character.getType(code)) {
      case Character.CONTROL, Character.FORMAT, Character.SURROGATE, Character.PRIVATE_USE -> true;
      default -> false;
    };
  }

  /** The blocks of Chinese characters that Hugging Face's BERT tokenizer sets apart. */
  static boolean isChinese(int code) {
    return (code >= 0x4E00 && code <= 0x9FFF)
        || (code >= 0x3400 && code <= 0x4DBF)
        || (code >= 0x20000 && code <= 0x2A6DF)
        || (code >= 0x2A700 && code <= 0x2B73F)
        || (code >= 0x2B740 && code <= 0x2B81F)
        || (code >= 0x2B920 && code <= 0x2CEAF)
        || (code >= 0xF900 && code <= 0xFAFF)
        || (code >= 0x2F800 && code <= 0x2FA1F);
  }
}
