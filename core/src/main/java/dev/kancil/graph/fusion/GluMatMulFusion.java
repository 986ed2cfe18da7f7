package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.GluMatMul;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.Op;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/** Gate and up projections of the same x, then the gated activation. */
record GluMatMulFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    return fuse(graph, takes, MatMul.class, GluMatMul::new);
  }

  /**
   * Fuses products whose second input is the weight.
   *
   * @param product of gate and up
   * @param fused both with the activation: it takes the inputs of one, and the other's weight
   *     behind its own
   */
  static Graph fuse(
      Graph graph,
      Predicate<Fused> takes,
      Class<? extends Op> product,
      Function<Activation, Fused> fused) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node glu : graph.nodes()) {
      if (!(glu.op() instanceof Glu(var activation))) {
        continue;
      }
      Node gate = rewrite.producer(glu.inputs().get(0), product);
      Node up = rewrite.producer(glu.inputs().get(1), product);
      Fused both = fused.apply(activation);
      if (gate == null
          || up == null
          || !withoutWeight(gate).equals(withoutWeight(up))
          || !gate.weight(1).shape().equals(up.weight(1).shape())
          || !rewrite.isPrivate(gate.output())
          || !rewrite.isPrivate(up.output())
          || !takes.test(both)) {
        continue;
      }
      List<Operand> inputs = new ArrayList<>(gate.inputs());
      inputs.add(2, up.weight(1));
      rewrite.remove(gate);
      rewrite.remove(up);
      rewrite.replace(glu, new Node(both, inputs, glu.outputs()));
    }
    return rewrite.result();
  }

  private static List<Operand> withoutWeight(Node product) {
    List<Operand> inputs = new ArrayList<>(product.inputs());
    inputs.remove(1);
    return inputs;
  }
}
