package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.RmsNorm;
import java.util.List;
import java.util.function.Predicate;

/** Residual add, then norm. The sum stays readable, so that a tap on it costs nothing. */
record AddRmsNormFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node norm : graph.nodes()) {
      if (!(norm.op() instanceof RmsNorm rmsNorm)) {
        continue;
      }
      Node add = rewrite.producer(norm.inputs().getFirst(), Add.class);
      AddRmsNorm fused = new AddRmsNorm(rmsNorm.epsilon());
      if (add == null || rmsNorm.group() != add.output().type().columns() || !takes.test(fused)) {
        continue;
      }
      rewrite.remove(norm);
      rewrite.replace(
          add,
          new Node(
              fused,
              List.of(add.inputs().get(0), add.inputs().get(1), norm.inputs().get(1)),
              List.of(add.output(), norm.output())));
    }
    return rewrite.result();
  }
}
