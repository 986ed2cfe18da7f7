package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.MatMul;
import java.util.List;
import java.util.function.Predicate;

/** Gate and up projections of the same x, then the gated activation. */
record GluMatMulFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node glu : graph.nodes()) {
      if (!(glu.op() instanceof Glu(var activation))) {
        continue;
      }
      Node gate = rewrite.producer(glu.inputs().get(0), MatMul.class);
      Node up = rewrite.producer(glu.inputs().get(1), MatMul.class);
      GluMatMul fused = new GluMatMul(activation);
      if (gate == null
          || up == null
          || !gate.inputs().getFirst().equals(up.inputs().getFirst())
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
              List.of(gate.inputs().get(0), gate.inputs().get(1), up.inputs().get(1)),
              glu.outputs()));
    }
    return rewrite.result();
  }
}
