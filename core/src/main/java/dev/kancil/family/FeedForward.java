package dev.kancil.family;

import dev.kancil.graph.op.Activation;

/** A layer's feed-forward part. */
public sealed interface FeedForward {
  /** {@code down(activation(gate(x)) · up(x))}, {@code width} columns wide inside. */
  static FeedForward gated(Activation activation, int width) {
    return new Gated(activation, width);
  }

  /** See {@link dev.kancil.graph.op.Glu}. */
  record Gated(Activation activation, int width) implements FeedForward {}
}
