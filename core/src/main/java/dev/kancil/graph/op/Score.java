package dev.kancil.graph.op;

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

  /** The expression's value. */
  float evaluate(float score, int query, int key, int head);

  /** The scaled score. */
  record Raw() implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return score;
    }
  }

  /** A number. */
  record Constant(float value) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return value;
    }
  }

  /** The key's position minus the query's: 0 for itself, negative before. */
  record Offset() implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return key - query;
    }
  }

  /** The head's number, from 0. */
  record Head() implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return head;
    }
  }

  /** {@code left + right}. */
  record Plus(Score left, Score right) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return left.evaluate(score, query, key, head) + right.evaluate(score, query, key, head);
    }
  }

  /** {@code left · right}. */
  record Multiply(Score left, Score right) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return left.evaluate(score, query, key, head) * right.evaluate(score, query, key, head);
    }
  }

  /** {@code 2^operand}; with it, slopes such as ALiBi's are functions of the head. */
  record Exp2(Score operand) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return (float) Math.pow(2, operand.evaluate(score, query, key, head));
    }
  }

  /** Hyperbolic tangent. */
  record Tanh(Score operand) implements Score {
    @Override
    public float evaluate(float score, int query, int key, int head) {
      return (float) Math.tanh(operand.evaluate(score, query, key, head));
    }
  }
}
