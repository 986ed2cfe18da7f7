package dev.kancil.backend.host;

import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;

/** What makes a host device what it is: a kernel for each node. */
@FunctionalInterface
public interface Lowering {
  /**
   * Binds a node to its operands.
   *
   * @throws dev.kancil.UnsupportedException naming the op and type that has no kernel
   */
  Kernel lower(Node node, Operands operands);

  /** Where a program's values and weights are. */
  interface Operands {
    /** Where to find {@code value} in each step. */
    HostValue value(Value value);

    /** The data of {@code weight}. */
    Tensor weight(Weight weight);

    /** The largest step. */
    StepLimits limits();
  }
}
