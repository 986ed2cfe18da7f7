package dev.kancil.family;

import dev.kancil.graph.op.Score;

/**
 * Attention with linear biases (Press et al. 2021): scores fall with the distance, by a slope for
 * each head, and nothing else tells of positions.
 *
 * <p>With as many heads as a power of two, {@code n}, head {@code h} has the slope {@code 2^(-8(h +
 * 1) / n)}. Otherwise that holds of the first {@code n}, the largest power of two there is, and
 * those after them have every second slope of {@code 2n} heads: {@code 2^(-4(2(h - n) + 1) / n)},
 * which is the same but for a constant in the exponent.
 *
 * <p>Transformers rounds slopes and biases to bfloat16, which depends on the position and so is
 * none of what the paper defines; here nothing is rounded.
 */
final class Alibi {
  /** A hyperbolic tangent of so much more than 1/2 is 1, and of so much less -1. */
  private static final float STEEP = 100;

  private Alibi() {}

  /**
   * @param scale what biases are multiplied by
   */
  static Score of(int heads, float scale) {
    int first = Integer.highestOneBit(heads);
    Score exponent =
        new Score.Multiply(
            new Score.Constant(-8f / first),
            new Score.Plus(new Score.Head(), new Score.Constant(1)));
    if (heads > first) {
      Score after =
          new Score.Tanh(
              new Score.Multiply(
                  new Score.Constant(STEEP),
                  new Score.Plus(new Score.Head(), new Score.Constant(0.5f - first))));
      Score isAfter =
          new Score.Plus(
              new Score.Constant(0.5f), new Score.Multiply(new Score.Constant(0.5f), after));
      exponent =
          new Score.Plus(exponent, new Score.Multiply(new Score.Constant(8 + 4f / first), isAfter));
    }
    Score slope = new Score.Multiply(new Score.Constant(scale), new Score.Exp2(exponent));
    return new Score.Plus(Score.PLAIN, new Score.Multiply(slope, new Score.Offset()));
  }
}
