package dev.kancil.backend.host;

import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Node;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;

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

    /**
     * The data of {@code weight} as a device's kernels lay it, which is done once for all programs
     * of the weights and lives as long as they do. What it was made of is not kept.
     */
    MemorySegment packed(Weight weight, Packing packing);

    /** The state's layers that {@code slot} is of. */
    StateGroup cache(StateSlot slot);

    /** The largest step. */
    StepLimits limits();
  }
}
