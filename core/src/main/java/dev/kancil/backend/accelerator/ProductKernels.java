package dev.kancil.backend.accelerator;

import dev.kancil.UnsupportedException;
import dev.kancil.graph.Node;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.NormedProduct;
import java.util.stream.IntStream;

/** Products with weights, and rows of them: where an accelerator has kernels of its own. */
public interface ProductKernels {
  /** {@link dev.kancil.graph.op.Embedding}. */
  Work embedding(Node node);

  /** {@code y = x · weightᵀ}. */
  Work matMul(Value x, Weight weight, Value y);

  /** {@link dev.kancil.graph.op.ParallelMatMul}. */
  default Work parallelMatMul(Node node) {
    return new Work.Sequence(
        IntStream.range(0, node.outputs().size())
            .mapToObj(i -> matMul(node.value(0), node.weight(1 + i), node.outputs().get(i)))
            .toList());
  }

  /** {@link dev.kancil.graph.op.GluMatMul}. */
  Work gluMatMul(Node node, Activation activation);

  /** {@link NormedProduct}; only of devices that take it. */
  default Work normedProduct(NormedProduct op, Node node) {
    throw new UnsupportedException(op.name() + " is not decomposed for this device");
  }

  /** {@link dev.kancil.graph.op.MoeMatMul}. */
  Work expertMatMul(Node node);

  /** {@link dev.kancil.graph.op.MoeGluMatMul}. */
  Work expertGluMatMul(Node node, Activation activation);
}
