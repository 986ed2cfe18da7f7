package dev.kancil.text.tokenizer;

import java.util.Arrays;

/**
 * The unigram language model: of all ways to cover a word with pieces, the one whose scores have
 * the largest sum (Kudo 2018), found by Viterbi's algorithm in O(n · longest piece).
 */
final class UnigramModel implements WordModel {
  /** How much worse than the worst piece an unknown character is. */
  private static final double UNKNOWN_PENALTY = 10;

  /**
   * What belongs to the pieces.
   *
   * @param scores by id
   * @param unknown what stands for a run of unknown characters, or -1: they are left out
   * @param byteTokens the tokens of bytes, which stand for unknown characters where all of these
   *     have one; or empty
   * @param single whether sums are rounded to float32, as SentencePiece does
   */
  record Options(double[] scores, int unknown, int[] byteTokens, boolean single) {}

  private final ByteTrie pieces;
  private final Options options;
  private final double unknownScore;
  private final WordCache cache = new WordCache();

  /**
   * @param pieces all pieces that text may be cut into
   * @param least the least score of them
   */
  UnigramModel(ByteTrie pieces, double least, Options options) {
    this.pieces = pieces;
    this.options = options;
    double unknown = least - UNKNOWN_PENALTY;
    this.unknownScore = options.single() ? (float) unknown : unknown;
  }

  @Override
  public Splitter.Words encoder(IdBuffer ids) {
    return new Encoder(ids);
  }

  private final class Encoder extends CachedWords {
    private double[] best = new double[64];
    private int[] starts = new int[64];
    private int[] tokens = new int[64];
    private int[] path = new int[64];

    Encoder(IdBuffer ids) {
      super(cache, ids);
    }

    @Override
    void encode(byte[] text, int from, int to) {
      int size = to - from;
      if (best.length <= size) {
        int capacity = Math.max(size + 1, 2 * best.length);
        best = new double[capacity];
        starts = new int[capacity];
        tokens = new int[capacity];
        path = new int[capacity];
      }
      Arrays.fill(starts, 0, size + 1, -1);
      best[0] = 0;
      for (int at = 0; at < size; ) {
        at += step(text, from, at, size);
      }
      int count = 0;
      for (int end = size; end > 0; end = starts[end]) {
        path[count++] = end;
      }
      int unknownFrom = -1;
      while (count > 0) {
        int end = path[--count];
        if (tokens[end] >= 0) {
          if (unknownFrom >= 0) {
            unknown(text, from + unknownFrom, from + starts[end]);
            unknownFrom = -1;
          }
          ids.add(tokens[end]);
        } else if (unknownFrom < 0) {
          unknownFrom = starts[end];
        }
      }
      if (unknownFrom >= 0) {
        unknown(text, from + unknownFrom, to);
      }
    }

    /** A run of what is in no piece. */
    private void unknown(byte[] text, int from, int to) {
      int before = ids.size();
      int piece = options.single() ? -1 : piece(text, from, to);
      if (piece >= 0) {
        ids.add(piece);
        return;
      }
      for (int i = from; options.byteTokens().length > 0 && i < to; i++) {
        int id = options.byteTokens()[text[i] & 0xFF];
        if (id < 0) {
          ids.truncate(before);
          break;
        }
        ids.add(id);
      }
      if (ids.size() == before && options.unknown() >= 0) {
        ids.add(options.unknown());
      }
    }

    /** The piece that is all of a range: the name of the unknown piece, as a text may have it. */
    private int piece(byte[] text, int from, int to) {
      int node = 0;
      for (int at = from; at < to; at++) {
        node = pieces.child(node, text[at]);
        if (node == 0) {
          return -1;
        }
      }
      return pieces.token(node);
    }

    /** Extends the best ways to one place by all pieces; returns the length of its character. */
    private int step(byte[] text, int from, int at, int size) {
      int length = Utf8.length(text[from + at]);
      boolean single = false;
      int node = 0;
      for (int end = at; end < size; ) {
        node = pieces.child(node, text[from + end++]);
        if (node == 0) {
          break;
        }
        int id = pieces.token(node);
        if (id >= 0) {
          candidate(at, end, options.scores()[id], id);
          single |= end - at == length;
        }
      }
      if (!single) {
        candidate(at, at + length, unknownScore, -1);
      }
      return length;
    }

    private void candidate(int at, int end, double score, int id) {
      double sum = options.single() ? (float) (score + best[at]) : score + best[at];
      if (starts[end] < 0 || sum > best[end]) {
        best[end] = sum;
        starts[end] = at;
        tokens[end] = id == options.unknown() ? -1 : id;
      }
    }
  }
}
