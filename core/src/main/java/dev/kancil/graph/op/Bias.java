package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y[r, c] = x[r, c] + b[c]}: what a linear layer adds to its product.
 *
 * <p>Inputs: x, F32 [rows × columns]; b [columns]. Output: as x.
 */
public record Bias() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType x = floats(inputs, 0);
    requireWeight(inputs, 1, x.columns());
    return List.of(x);
  }
}
