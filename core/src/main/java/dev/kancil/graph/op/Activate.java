package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = activation(x)}, element by element: a feed-forward layer without a gate.
 *
 * <p>Input: x, F32. Output: the same.
 */
public record Activate(Activation activation) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 1);
    return List.of(floats(inputs, 0));
  }
}
