package dev.kancil.graph.op;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import java.util.ArrayList;
import java.util.List;

/**
 * Several {@link MatMul}s of the same x, as queries, keys and values are. The weights may have
 * different types.
 *
 * <p>Inputs: x, F32 [rows × in]; weights [out₁, in], [out₂, in] … Outputs: one product for each.
 */
public record ParallelMatMul(int count) implements Fused {
  public ParallelMatMul {
    if (count < 2) {
      throw new IllegalArgumentException(count + " products");
    }
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 1 + count);
    List<ValueType> types = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      types.add(MatMul.inferProduct(this, inputs, i));
    }
    return types;
  }

  @Override
  public List<Value> decompose(GraphBuilder builder, List<Operand> inputs, List<String> names) {
    List<Value> products = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      products.add(builder.add(names.get(i), new MatMul(), inputs.getFirst(), inputs.get(i + 1)));
    }
    return products;
  }
}
