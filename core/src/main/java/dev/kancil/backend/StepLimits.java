package dev.kancil.backend;

import dev.kancil.graph.Dimension;
import dev.kancil.graph.MemoryPlan;

/**
 * The largest step a program must take.
 *
 * @param tokens rows of the batch
 * @param sequences sequences among the rows
 * @param outputs rows for which outputs are asked
 * @param changes of single logits that these rows bring together
 */
public record StepLimits(int tokens, int sequences, int outputs, int changes) {
  public StepLimits {
    if (tokens < 1
        || sequences < 1
        || outputs < 1
        || sequences > tokens
        || outputs > tokens
        || changes < 0) {
      throw new IllegalArgumentException(
          tokens
              + " tokens, "
              + sequences
              + " sequences, "
              + outputs
              + " outputs, "
              + changes
              + " changes");
    }
  }

  /** Steps that change no logits. */
  public StepLimits(int tokens, int sequences, int outputs) {
    this(tokens, sequences, outputs, 0);
  }

  /** Rows of a value in the largest step. */
  public int rows(Dimension dimension) {
    return dimension == Dimension.Symbolic.CHANGES
        ? changes
        : MemoryPlan.rows(dimension, tokens, outputs);
  }
}
