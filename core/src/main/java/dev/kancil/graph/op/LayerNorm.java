package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code y = w · (x - mean(x)) / sqrt(var(x) + epsilon) + b}, over each group of columns on its
 * own: the whole row, or each head where queries and keys are normed. The variance is the mean of
 * {@code (x - mean(x))²}.
 *
 * <p>Inputs: x, F32 [rows × columns]; optionally w [group]; behind it, optionally b [group]. An
 * absent w is 1 (OLMo), an absent b is 0 (Cohere, ModernBERT). Output: as x. Source: Ba, Kiros and
 * Hinton 2016, "Layer Normalization".
 *
 * @param group columns that are normed together; divides the row
 */
public record LayerNorm(float epsilon, int group) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    require(
        !inputs.isEmpty() && inputs.size() <= 3, () -> "takes 1 to 3 inputs, not " + inputs.size());
    ValueType x = floats(inputs, 0);
    require(group > 0 && x.columns() % group == 0, () -> group + " does not divide " + x.columns());
    for (int i = 1; i < inputs.size(); i++) {
      requireWeight(inputs, i, group);
    }
    return List.of(x);
  }
}
