package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import java.util.List;

/**
 * {@code y = x · Wᵀ}: each output column is the dot product of a row of x with a row of W.
 *
 * <p>Inputs: x, F32 [rows × in]; W [out, in], any type. Output: F32 [rows × out].
 */
public record MatMul() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    return List.of(inferProduct(this, inputs, 1));
  }

  /** The type of input 0 times the weight at {@code index}. */
  static ValueType inferProduct(Op op, List<Operand> inputs, int index) {
    ValueType x = op.floats(inputs, 0);
    Weight weight = op.weight(inputs, index);
    boolean fits = weight.shape().rank() == 2 && weight.shape().columns() == x.columns();
    op.require(
        fits,
        () ->
            weight.name()
                + " of shape "
                + weight.shape()
                + " does not take "
                + x.columns()
                + " columns");
    return x.withColumns(Math.toIntExact(weight.shape().dimension(0)));
  }
}
