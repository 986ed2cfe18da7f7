package dev.kancil.graph.op;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@link Add} and {@link RmsNorm} of its result in one pass.
 *
 * <p>Inputs: a, b, F32 of the same size; w [columns]. Outputs: the sum, the normed sum.
 */
public record AddRmsNorm(float epsilon) implements Fused {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 3);
    ValueType a = floats(inputs, 0);
    require(a.equals(floats(inputs, 1)), () -> "sizes differ");
    requireWeight(inputs, 2, a.columns());
    return List.of(a, a);
  }

  @Override
  public List<Value> decompose(GraphBuilder builder, List<Operand> inputs, List<String> names) {
    Value sum = builder.add(names.get(0), new Add(), inputs.get(0), inputs.get(1));
    Value normed =
        builder.add(names.get(1), new RmsNorm(epsilon, sum.type().columns()), sum, inputs.get(2));
    return List.of(sum, normed);
  }
}
