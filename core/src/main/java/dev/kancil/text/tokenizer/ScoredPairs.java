package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * SentencePiece's byte-pair encoding: characters, with spaces written as {@code ▁}, merge to
 * pieces, the piece of the best score first; what is no piece falls back to its bytes (Kudo and
 * Richardson 2018).
 */
final class ScoredPairs implements WordModel {
  private static final char SPACE = '▁';

  private final TokenIndex index;
  private final float[] scores;
  private final Options options;
  private final int[] powers;
  private final WordCache cache = new WordCache();

  /**
   * What stands for text that is in no piece, and what is special about words.
   *
   * @param byteTokens the tokens of bytes that are in no piece, or -1: nothing; or empty
   * @param unknown what stands for a run of unknown characters, if byteTokens is empty
   * @param bytes whether symbols are bytes, written in the {@link ByteLevel} alphabet
   * @param wholeWords whether a word that is a piece is that piece
   */
  record Options(int[] byteTokens, int unknown, boolean bytes, boolean wholeWords) {}

  /**
   * @param scores by id
   */
  ScoredPairs(Vocabulary vocabulary, float[] scores, Options options) {
    this.index = vocabulary.index();
    this.scores = scores;
    this.options = options;
    powers = new int[index.longest() + 1];
    powers[0] = 1;
    for (int i = 1; i < powers.length; i++) {
      powers[i] = 31 * powers[i - 1];
    }
  }

  @Override
  public Splitter.Words encoder(IdBuffer ids) {
    return new Encoder(ids);
  }

  /** A score as a rank: larger scores are lower ranks, equal scores equal ranks. */
  private static int rank(float score) {
    // Adding zero makes -0 and 0 equal.
    int bits = Float.floatToIntBits(score + 0f);
    return ~(bits ^ ((bits >> 31) & Integer.MAX_VALUE));
  }

  private final class Encoder extends CachedWords implements PairMerger.Pairs {
    private final PairMerger merger = new PairMerger(this);
    private char[] chars = new char[64];
    private int[] hashes = new int[65];

    Encoder(IdBuffer ids) {
      super(cache, ids);
    }

    @Override
    void encode(byte[] text, int from, int to) {
      if (chars.length < to - from) {
        chars = new char[Math.max(to - from, 2 * chars.length)];
        hashes = new int[chars.length + 1];
      }
      merger.clear();
      int length = 0;
      for (int at = from; at < to; at += options.bytes() ? 1 : Utf8.length(text[at])) {
        int start = length;
        if (options.bytes()) {
          chars[length++] = ByteLevel.character(text[at]);
        } else {
          int code = text[at] == ' ' ? SPACE : Utf8.codeAt(text, at);
          length += Character.toChars(code, chars, length);
        }
        for (int i = start; i < length; i++) {
          hashes[i + 1] = 31 * hashes[i] + chars[i];
        }
        merger.add(id(start, length), length);
      }
      int whole = options.wholeWords() ? id(0, length) : -1;
      if (whole >= 0) {
        ids.add(whole);
        return;
      }
      merger.merge();
      for (int i = 0; i < merger.count(); i++) {
        if (merger.symbol(i) >= 0) {
          ids.add(merger.symbol(i));
        } else if (options.byteTokens().length > 0) {
          addBytes(merger.start(i), merger.start(i + 1));
        } else if (options.unknown() >= 0 && (i == 0 || merger.symbol(i - 1) >= 0)) {
          ids.add(options.unknown());
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
        if (options.byteTokens()[value & 0xFF] >= 0) {
          ids.add(options.byteTokens()[value & 0xFF]);
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
