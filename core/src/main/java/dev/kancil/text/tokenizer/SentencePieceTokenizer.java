package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;

/**
 * SentencePiece's byte-pair encoding: characters, with spaces written as {@code ▁}, merge to
 * pieces, the piece of the best score first; what is no piece falls back to its bytes (Kudo and
 * Richardson 2018).
 *
 * <p>Merging has no word boundaries. Nevertheless a text may be cut before a {@code ▁} wherever no
 * piece has one behind the same character, since no merge can then reach across: the words between
 * are encoded one by one.
 */
final class SentencePieceTokenizer extends Tokenizer {
  private static final char SPACE = '▁';
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private final float[] scores;
  private final boolean addsSpace;
  private final int[] byteTokens = new int[256];
  private final int[] powers;
  private final Set<Integer> beforeSpace = new HashSet<>();
  private final WordCache cache = new WordCache();

  private SentencePieceTokenizer(
      Vocabulary vocabulary,
      TokenRoles roles,
      SpecialTokens specialTokens,
      float[] scores,
      boolean addsSpace) {
    super(vocabulary, roles, specialTokens);
    this.scores = scores;
    this.addsSpace = addsSpace;
    for (int value = 0; value < 256; value++) {
      int id = vocabulary.find("<0x" + HEX.toHexDigits((byte) value) + ">");
      if (id < 0 && value < 128) {
        id = vocabulary.find(String.valueOf((char) value));
      }
      byteTokens[value] = id >= 0 ? id : roles.unknown().orElse(-1);
    }
    powers = new int[vocabulary.index().longest() + 1];
    powers[0] = 1;
    for (int i = 1; i < powers.length; i++) {
      powers[i] = 31 * powers[i - 1];
    }
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = vocabulary.text(id);
      for (int at = text.indexOf(SPACE, 1); at > 0; at = text.indexOf(SPACE, at + 1)) {
        beforeSpace.add(text.codePointBefore(at));
      }
    }
  }

  static SentencePieceTokenizer read(GgufMetadata metadata) {
    Vocabulary vocabulary = Vocabulary.read(metadata);
    float[] scores = scores(metadata, vocabulary);
    TokenRoles roles =
        TokenRoles.read(metadata, vocabulary, new TokenRoles.Defaults(1, 2, 0, -1, true));
    return new SentencePieceTokenizer(
        vocabulary,
        roles,
        SpecialTokens.of(metadata, vocabulary),
        scores,
        metadata.bool("tokenizer.ggml.add_space_prefix").orElse(true));
  }

  private static float[] scores(GgufMetadata metadata, Vocabulary vocabulary) {
    String key = "tokenizer.ggml.scores";
    float[] scores;
    if (metadata.value(key).orElse(null) instanceof GgufValue.Ints(_, long[] values)) {
      scores = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        scores[i] = values[i];
      }
    } else {
      scores = metadata.floats(key);
    }
    if (scores.length != vocabulary.size()) {
      throw new FormatException(
          metadata.file()
              + ": there are "
              + vocabulary.size()
              + " tokens but "
              + scores.length
              + " scores");
    }
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw new FormatException(metadata.file() + ": the score of token " + id + " is no number");
      }
    }
    return scores;
  }

  @Override
  EncodingPass pass(IdBuffer ids) {
    return new Pass(ids);
  }

  @Override
  boolean addsSpace() {
    return addsSpace;
  }

  @Override
  byte[] textBytes(int id) {
    String text = vocabulary().text(id);
    if (vocabulary().is(id, Vocabulary.CONTROL | Vocabulary.UNKNOWN | Vocabulary.USER_DEFINED)) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
    int value = vocabulary().is(id, Vocabulary.BYTE) ? Vocabulary.byteOf(text) : -1;
    return value >= 0
        ? new byte[] {(byte) value}
        : text.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
  }

  /** A score as a rank: larger scores are lower ranks, equal scores equal ranks. */
  private static int rank(float score) {
    // Adding zero makes -0 and 0 equal.
    int bits = Float.floatToIntBits(score + 0f);
    return ~(bits ^ ((bits >> 31) & Integer.MAX_VALUE));
  }

  private final class Pass extends CachedWordsPass implements PairMerger.Pairs {
    private final PairMerger merger = new PairMerger(this);
    private final TokenIndex index = vocabulary().index();
    private char[] chars = new char[64];
    private int[] hashes = new int[65];
    private boolean spaceNext = addsSpace;

    Pass(IdBuffer ids) {
      super(cache, ids);
    }

    @Override
    void token(int id) {
      super.token(id);
      spaceNext = addsSpace;
    }

    @Override
    void text(byte[] text, int from, int to) {
      if (spaceNext) {
        spaceNext = false;
        byte[] prefixed = new byte[to - from + 1];
        prefixed[0] = ' ';
        System.arraycopy(text, from, prefixed, 1, to - from);
        words(prefixed, 0, prefixed.length);
      } else {
        words(text, from, to);
      }
    }

    private void words(byte[] text, int from, int to) {
      int start = from;
      boolean afterSpace = true;
      for (int at = from; at < to; ) {
        boolean space = isSpace(text, at, to);
        if (space
            && !afterSpace
            && !beforeSpace.contains(Utf8.codeAt(text, Utf8.before(text, at)))) {
          word(text, start, at);
          start = at;
        }
        afterSpace = space;
        at += Utf8.length(text[at]);
      }
      if (to > start) {
        word(text, start, to);
      }
    }

    private static boolean isSpace(byte[] text, int at, int to) {
      return text[at] == ' '
          || (text[at] == (byte) 0xE2
              && at + 2 < to
              && text[at + 1] == (byte) 0x96
              && text[at + 2] == (byte) 0x81);
    }

    @Override
    void encode(byte[] text, int from, int to) {
      if (chars.length < to - from) {
        chars = new char[Math.max(to - from, 2 * chars.length)];
        hashes = new int[chars.length + 1];
      }
      merger.clear();
      int length = 0;
      for (int at = from; at < to; at += Utf8.length(text[at])) {
        int code = text[at] == ' ' ? SPACE : Utf8.codeAt(text, at);
        int start = length;
        length += Character.toChars(code, chars, length);
        for (int i = start; i < length; i++) {
          hashes[i + 1] = 31 * hashes[i] + chars[i];
        }
        merger.add(id(start, length), length);
      }
      merger.merge();
      for (int i = 0; i < merger.count(); i++) {
        if (merger.symbol(i) >= 0) {
          ids.add(merger.symbol(i));
        } else {
          addBytes(merger.start(i), merger.start(i + 1));
        }
      }
    }

    /** The token that these characters spell, or a negative number; none is longer than powers. */
    private int id(int from, int to) {
      if (to - from >= powers.length) {
        return -1;
      }
      return index.find(chars, from, to, hashes[to] - hashes[from] * powers[to - from]);
    }

    private void addBytes(int from, int to) {
      for (byte value : new String(chars, from, to - from).getBytes(StandardCharsets.UTF_8)) {
        if (byteTokens[value & 0xFF] >= 0) {
          ids.add(byteTokens[value & 0xFF]);
        }
      }
    }

    @Override
    public long find(int left, int right, int from, int to) {
      int id = id(from, to);
      return id < 0 ? PairMerger.NONE : (long) rank(scores[id]) << 32 | id;
    }
  }
}
