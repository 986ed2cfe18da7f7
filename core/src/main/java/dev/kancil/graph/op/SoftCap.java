package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = cap · tanh(x / cap)}, which bounds logits (Gemma 2).
 *
 * <p>Input: x, F32. Output: the same.
 */
public record SoftCap(float cap) implements Primitive {
  public SoftCap {
    if (!(cap > 0)) {
      throw new IllegalArgumentException("a cap of " + cap);
    }
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 1);
    return List.of(floats(inputs, 0));
  }
}
