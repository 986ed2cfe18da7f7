package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = w · x / sqrt(mean(x²) + epsilon)}, over each group of columns on its own: the whole
 * row, or each head where queries and keys are normed.
 *
 * <p>Inputs: x, F32 [rows × columns]; w, F32 or F16 [group]. Output: as x. Source: Zhang and
 * Sennrich 2019, "Root Mean Square Layer Normalization".
 *
 * @param group columns that are normed together; divides the row
 */
public record RmsNorm(float epsilon, int group) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType x = floats(inputs, 0);
    require(group > 0 && x.columns() % group == 0, () -> group + " does not divide " + x.columns());
    requireWeight(inputs, 1, group);
    return List.of(x);
  }
}
