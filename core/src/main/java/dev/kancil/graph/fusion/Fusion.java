package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.op.Fused;
import java.util.List;
import java.util.function.Predicate;

/**
 * A rewrite that replaces primitives by one fused operation. It never hides a value that somebody
 * else reads: an output of the graph, and so a tapped value, stays computed.
 */
public sealed interface Fusion
    permits AddRmsNormFusion,
        GluMatMulFusion,
        MoeGluMatMulFusion,
        NormedProductFusion,
        ParallelMatMulFusion,
        RopeAttentionFusion {
  /**
   * All fusions, in the order in which they are tried: gate and up before the products of one input
   * are gathered, which would take them, too; and norms when it is known what takes them.
   */
  List<Fusion> ALL =
      List.of(
          new RopeAttentionFusion(),
          new AddRmsNormFusion(),
          new GluMatMulFusion(),
          new MoeGluMatMulFusion(),
          new ParallelMatMulFusion(),
          new NormedProductFusion());

  /** Rewrites wherever the pattern matches and {@code takes} accepts the fused operation. */
  Graph apply(Graph graph, Predicate<Fused> takes);

  /** Applies all fusions. */
  static Graph fuse(Graph graph, Predicate<Fused> takes) {
    Graph fused = graph;
    for (Fusion fusion : ALL) {
      fused = fusion.apply(fused, takes);
    }
    return fused;
  }
}
