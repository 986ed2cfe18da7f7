package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = activation(gate) · up}, element by element.
 *
 * <p>Inputs: gate, up, F32 of the same size. Output: the same. Source: Shazeer 2020, "GLU Variants
 * Improve Transformer".
 */
public record Glu(Activation activation) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType gate = floats(inputs, 0);
    require(gate.equals(floats(inputs, 1)), () -> "sizes differ");
    return List.of(gate);
  }
}
