package dev.kancil.graph.fusion;

import dev.kancil.graph.Graph;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.AddRmsNorm;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.NormedProduct;
import dev.kancil.graph.op.RmsNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * A norm and the product, fused or not, that alone takes what it yields. It stands where the norm
 * stood, since the sum may be read before the product's place.
 */
record NormedProductFusion() implements Fusion {
  @Override
  public Graph apply(Graph graph, Predicate<Fused> takes) {
    Rewrite rewrite = new Rewrite(graph);
    for (Node product : graph.nodes()) {
      if (!NormedProduct.canHave(product.op())
          || !(product.inputs().getFirst() instanceof Value x)) {
        continue;
      }
      Node norm = rewrite.producer(x, AddRmsNorm.class);
      NormedProduct fused;
      if (norm != null) {
        fused = new NormedProduct(((AddRmsNorm) norm.op()).epsilon(), true, product.op());
      } else {
        norm = rewrite.producer(x, RmsNorm.class);
        if (norm == null || ((RmsNorm) norm.op()).group() != x.type().columns()) {
          continue;
        }
        fused = new NormedProduct(((RmsNorm) norm.op()).epsilon(), false, product.op());
      }
      if (!rewrite.isPrivate(x) || !takes.test(fused)) {
        continue;
      }
      List<Operand> inputs = new ArrayList<>(norm.inputs());
      inputs.addAll(product.inputs().subList(1, product.inputs().size()));
      List<Value> outputs = new ArrayList<>(norm.outputs());
      outputs.removeLast();
      outputs.addAll(product.outputs());
      rewrite.remove(product);
      rewrite.replace(norm, new Node(fused, inputs, outputs));
    }
    return rewrite.result();
  }
}
