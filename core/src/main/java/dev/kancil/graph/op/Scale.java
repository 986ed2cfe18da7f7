package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = factor · x}, as Gemma scales its embeddings by the square root of their width.
 *
 * <p>Input: x, F32. Output: the same.
 */
public record Scale(float factor) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 1);
    return List.of(floats(inputs, 0));
  }
}
