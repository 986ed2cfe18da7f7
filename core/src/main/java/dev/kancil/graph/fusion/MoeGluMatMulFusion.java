package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import java.util.List;
import java.util.function.Predicate;

/** Gate and up projections of the same x by the same experts, then the gated activation. */
record MoeGluMatMulFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node glu : graph.nodes()) {
      if (!(glu.op() instanceof Glu(var activation))) {
        continue;
      }
      Node gate = rewrite.producer(glu.inputs().get(0), MoeMatMul.class);
      Node up = rewrite.producer(glu.inputs().get(1), MoeMatMul.class);
      MoeGluMatMul fused = new MoeGluMatMul(activation);
      if (gate == null
          || up == null
          || !gate.value(0).equals(up.value(0))
          || !gate.weight(1).shape().equals(up.weight(1).shape())
          || !gate.value(2).equals(up.value(2))
          || !rewrite.isPrivate(gate.output())
          || !rewrite.isPrivate(up.output())
          || !takes.test(fused)) {
        continue;
      }
      rewrite.remove(gate);
      rewrite.remove(up);
      rewrite.replace(
          glu,
          new Node(
              fused,
              List.of(gate.value(0), gate.weight(1), up.weight(1), gate.value(2)),
              glu.outputs()));
    }
    return rewrite.result();
  }
}
