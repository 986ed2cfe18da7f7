package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * Turns each head's columns by its row's position.
 *
 * <p>Inputs: x, F32 [rows × heads · headWidth]; positions, I32 [rows × 1]; optionally one F32
 * divisor for each pair [rotaryWidth / 2]. Output: as x.
 */
public record Rope(RotaryEmbedding rotary) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    if (inputs.size() == 3) {
      requireWeight(inputs, 2, rotary.rotaryWidth() / 2);
    } else {
      requireInputs(inputs, 2);
    }
    ValueType x = floats(inputs, 0);
    requirePositions(inputs, 1, x.rows());
    require(x.columns() % rotary.headWidth() == 0, () -> "no whole number of heads");
    return List.of(x);
  }
}
