package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import java.util.List;

/**
 * What is computed of a row, step by step.
 *
 * @param from the output that it begins with; empty: the rows themselves
 * @param output what the result is called
 */
public record Head(String from, String output, List<Step> steps) {
  public Head {
    steps = List.copyOf(steps);
  }

  /** Of the rows themselves. */
  public static Head of(String output, Step... steps) {
    return new Head("", output, List.of(steps));
  }

  /** One of the steps. */
  public sealed interface Step {}

  /**
   * A product.
   *
   * @param columns of its result
   */
  public record Linear(WeightName weight, int columns, boolean hasBias) implements Step {}

  /**
   * A product that gives each token of the vocabulary a logit, and a bias, if the checkpoint has
   * one.
   *
   * @param isTied whether its matrix is the token embedding, whatever else there is
   */
  public record Vocabulary(boolean isTied) implements Step {}

  /** An activation. */
  public record Activated(Activation activation) implements Step {}

  /** The hyperbolic tangent. */
  public record Tanh() implements Step {}

  /** A norm. */
  public record Normed(Norm norm, WeightName weight) implements Step {}
}
