package dev.kancil.graph.op;

import java.util.HashSet;
import java.util.Set;

/**
 * What becomes of a scaled attention score before the softmax, as an expression over the score, the
 * two positions and the head. Backends compile it into their attention kernels; {@link #evaluate}
 * is its meaning.
 */
public sealed interface Score {
  /** The score as it is. */
  Score PLAIN = new Raw();

  /** {@code cap · tanh(score / cap)} (Gemma 2). */
  static Score softCap(float cap) {
    Score constant = new Constant(cap);
    return new Multiply(constant, new Tanh(new Multiply(PLAIN, new Constant(1 / cap))));
  }

  /**
   * The expression's value.
   *
   * @param biases what {@link RelativeBias} looks up: [buckets, heads], row by row; else nothing
   * @param heads how many there are
   */
  float evaluate(float score, int query, int key, int head, float[] biases, int heads);

  /** The relative biases that an expression has, each once. */
  static Set<RelativeBias> relativeBiases(Score score) {
    // Static, since an interface whose methods have bodies is initialised with its parts, and this
    // one has a constant of such a part.
    return switch (score) {
      case Raw _, Constant _, Offset _, Head _ -> Set.of();
      case RelativeBias bias -> Set.of(bias);
      case Plus(Score left, Score right) -> union(left, right);
      case Multiply(Score left, Score right) -> union(left, right);
      case Exp2(Score operand) -> relativeBiases(operand);
      case Tanh(Score operand) -> relativeBiases(operand);
    };
  }

  private static Set<RelativeBias> union(Score left, Score right) {
    Set<RelativeBias> all = new HashSet<>(relativeBiases(left));
    all.addAll(relativeBiases(right));
    return all;
  }

  /** The scaled score. */
  record Raw() implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return score;
    }
  }

  /** A number. */
  record Constant(float value) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return value;
    }
  }

  /** The key's position minus the query's: 0 for itself, negative before. */
  record Offset() implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return key - query;
    }
  }

  /** The head's number, from 0. */
  record Head() implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return head;
    }
  }

  /**
   * A number that is learned for the head and the bucket of the key's position less the query's
   * (Raffel et al. 2019, "T5"): the attention takes them as a weight [buckets, heads]. Half of the
   * buckets, or half of each side's, are single distances; the others grow with their logarithm, up
   * to the last, in which all from the largest distance on are.
   *
   * @param buckets how many; even, and a multiple of four where keys behind the query have their
   *     own
   * @param maxDistance from which on all are in the last bucket
   * @param bothWays whether keys behind the query have the second half of the buckets; else they
   *     are in the first bucket
   */
  record RelativeBias(int buckets, int maxDistance, boolean bothWays) implements Score {
    /** The most distance, beyond which tables of biases would grow large. */
    public static final int MOST_DISTANCE = 1 << 16;

    public RelativeBias {
      int side = bothWays ? buckets / 2 : buckets;
      if (side < 2 || buckets % (bothWays ? 4 : 2) != 0) {
        throw new IllegalArgumentException(buckets + " buckets of distances");
      }
      if (maxDistance <= side / 2 || maxDistance > MOST_DISTANCE) {
        throw new IllegalArgumentException(buckets + " buckets of distances up to " + maxDistance);
      }
    }

    /**
     * The bucket of a key.
     *
     * @param offset the key's position less the query's
     */
    public int bucket(int offset) {
      int side = bothWays ? buckets / 2 : buckets;
      int first = bothWays && offset > 0 ? side : 0;
      int distance = bothWays ? Math.abs(offset) : Math.max(0, -offset);
      int exact = side / 2;
      if (distance < exact) {
        return first + distance;
      }
      // In float32, as the model's authors compute it: a distance at a bucket's edge depends on it.
      float share =
          (float) Math.log((float) distance / exact)
              / (float) Math.log((double) maxDistance / exact);
      return first + Math.min(exact + (int) (share * (side - exact)), side - 1);
    }

    /** How many columns {@link #byOffset} has for each head. */
    public int offsets() {
      return 2 * maxDistance + 1;
    }

    /**
     * The biases by offset, so that devices need no logarithms: for each head those of the offsets
     * from -maxDistance to maxDistance; beyond, the first and the last hold.
     *
     * @param biases [buckets, heads]
     */
    public float[] byOffset(float[] biases, int heads) {
      float[] byOffset = new float[Math.multiplyExact(heads, offsets())];
      for (int i = 0; i < offsets(); i++) {
        int bucket = bucket(i - maxDistance);
        for (int head = 0; head < heads; head++) {
          byOffset[head * offsets() + i] = biases[bucket * heads + head];
        }
      }
      return byOffset;
    }

    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return biases[bucket(key - query) * heads + head];
    }
  }

  /** {@code left + right}. */
  record Plus(Score left, Score right) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return left.evaluate(score, query, key, head, biases, heads)
          + right.evaluate(score, query, key, head, biases, heads);
    }
  }

  /** {@code left · right}. */
  record Multiply(Score left, Score right) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return left.evaluate(score, query, key, head, biases, heads)
          * right.evaluate(score, query, key, head, biases, heads);
    }
  }

  /** {@code 2^operand}; with it, slopes such as ALiBi's are functions of the head. */
  record Exp2(Score operand) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return (float) Math.pow(2, operand.evaluate(score, query, key, head, biases, heads));
    }
  }

  /** Hyperbolic tangent. */
  record Tanh(Score operand) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head, float[] biases, int heads) {
      return (float) Math.tanh(operand.evaluate(score, query, key, head, biases, heads));
    }
  }
}
