package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import java.util.function.Predicate;

/** Gate and up projections of the same x by the same experts, then the gated activation. */
record MoeGluMatMulFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    return GluMatMulFusion.fuse(graph, takes, MoeMatMul.class, MoeGluMatMul::new);
  }
}
