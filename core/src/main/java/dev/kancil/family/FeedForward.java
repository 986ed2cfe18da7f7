package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;

/** A layer's feed-forward part. */
public sealed interface FeedForward {
  /** {@link Gated} without biases. */
  static FeedForward gated(Activation activation, int width) {
    return new Gated(activation, width, false);
  }

  /**
   * {@code down(activation(gate(x)) · up(x))}; see {@link dev.kancil.graph.op.Glu}.
   *
   * @param width columns inside
   * @param hasBias whether all three products have a bias
   */
  record Gated(Activation activation, int width, boolean hasBias) implements FeedForward {}

  /**
   * {@code down(activation(up(x)))}.
   *
   * @param width columns inside
   * @param hasBias whether both products have a bias
   */
  record Plain(Activation activation, int width, boolean hasBias) implements FeedForward {}

  /**
   * The weighted sum of gated parts, a few of which a router chooses for each row, and of one that
   * all rows use.
   *
   * @param count how many there are to choose from
   * @param width columns inside each
   * @param route how they are chosen
   * @param hasCorrection whether a bias of the router's scores decides what is chosen
   * @param shared the one that all use; of no width if there is none
   */
  record Experts(
      Activation activation,
      int count,
      int width,
      MoeRoute route,
      boolean hasCorrection,
      Shared shared)
      implements FeedForward {}

  /**
   * The weighted sum of {@link dev.kancil.graph.op.ClampedGlu} parts, a few of which a router
   * chooses for each row; all products have biases, and so has the router's.
   *
   * @param limit how large what goes into the product can be
   * @param count how many there are to choose from
   * @param width columns inside each
   * @param route how they are chosen
   */
  record ClampedExperts(Activation activation, float limit, int count, int width, MoeRoute route)
      implements FeedForward {}

  /**
   * The expert that all rows use.
   *
   * @param width columns inside; 0: there is none
   * @param isGated whether its result is multiplied by {@code sigmoid(x · w)}
   */
  record Shared(int width, boolean isGated) {
    /** There is none. */
    public static final Shared NONE = new Shared(0, false);
  }
}
