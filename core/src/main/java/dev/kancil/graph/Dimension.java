package dev.kancil.graph;

/**
 * The number of rows of a value: fixed when the graph is built, or known only when a step runs.
 * Everything else about a value is fixed, so that kernels can be specialised on it.
 */
public sealed interface Dimension {
  /** The same number of rows in every step. */
  record Fixed(int size) implements Dimension {
    public Fixed {
      if (size < 1) {
        throw new IllegalArgumentException("a dimension of " + size);
      }
    }
  }

  /** Known when a step is enqueued. */
  enum Symbolic implements Dimension {
    /** Rows of the step's batch: one for each token that is computed. */
    TOKENS,
    /** Rows for which an output was asked. */
    OUTPUTS,
    /** Changes of single logits that the step's rows bring. */
    CHANGES
  }
}
