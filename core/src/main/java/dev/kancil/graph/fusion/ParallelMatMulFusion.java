package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.ParallelMatMul;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** All products of the same x, such as queries, keys and values. Every product stays readable. */
record ParallelMatMulFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node first : graph.nodes()) {
      if (!(first.op() instanceof MatMul) || !rewrite.isUntouched(first)) {
        continue;
      }
      List<Node> products = new ArrayList<>();
      for (Node consumer : rewrite.consumers(first.value(0))) {
        if (consumer.op() instanceof MatMul) {
          products.add(consumer);
        }
      }
      if (products.size() < 2 || !takes.test(new ParallelMatMul(products.size()))) {
        continue;
      }
      List<Operand> inputs = new ArrayList<>();
      inputs.add(first.value(0));
      List<Value> outputs = new ArrayList<>();
      for (Node product : products) {
        inputs.add(product.weight(1));
        outputs.add(product.output());
        if (!product.equals(first)) {
          rewrite.remove(product);
        }
      }
      rewrite.replace(first, new Node(new ParallelMatMul(products.size()), inputs, outputs));
    }
    return rewrite.result();
  }
}
