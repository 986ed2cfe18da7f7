package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = min(max(x, -limit), limit)}, which bounds queries, keys and values (OLMo 1).
 *
 * <p>Input: x, F32. Output: the same.
 */
public record Clamp(float limit) implements Primitive {
  public Clamp {
    if (!(limit > 0)) {
      throw new IllegalArgumentException("a limit of " + limit);
    }
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 1);
    return List.of(floats(inputs, 0));
  }
}
