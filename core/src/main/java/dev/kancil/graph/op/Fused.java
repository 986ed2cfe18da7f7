package dev.kancil.graph.op;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import java.util.List;

/** An operation that is defined by the primitives it stands for. */
public sealed interface Fused extends Op
    permits AddRmsNorm, GluMatMul, MoeGluMatMul, NormedProduct, ParallelMatMul, RopeAttention {
  /**
   * Adds the primitives to {@code builder}.
   *
   * @param names for the outputs
   * @return the outputs, in the order of {@link #infer}
   */
  List<Value> decompose(GraphBuilder builder, List<Operand> inputs, List<String> names);
}
