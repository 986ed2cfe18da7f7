package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = a + b}, element by element.
 *
 * <p>Inputs: a, b, F32 of the same size. Output: the same.
 */
public record Add() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType a = floats(inputs, 0);
    require(a.equals(floats(inputs, 1)), () -> "sizes differ: " + a + " and " + floats(inputs, 1));
    return List.of(a);
  }
}
