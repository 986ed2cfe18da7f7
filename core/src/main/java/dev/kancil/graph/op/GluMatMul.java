package dev.kancil.graph.op;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code activation(x · Gᵀ) · (x · Uᵀ)}: gate and up projections with the {@link Glu} as epilogue.
 *
 * <p>Inputs: x, F32 [rows × in]; G, U [out, in]. Output: F32 [rows × out].
 */
public record GluMatMul(Activation activation) implements Fused {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 3);
    ValueType gate = MatMul.inferProduct(this, inputs, 1);
    require(gate.equals(MatMul.inferProduct(this, inputs, 2)), () -> "gate and up differ");
    return List.of(gate);
  }

  @Override
  public List<Value> decompose(GraphBuilder builder, List<Operand> inputs, List<String> names) {
    String name = names.getFirst();
    Value gate = builder.add(name + ".gate", new MatMul(), inputs.get(0), inputs.get(1));
    Value up = builder.add(name + ".up", new MatMul(), inputs.get(0), inputs.get(2));
    return List.of(builder.add(name, new Glu(activation), gate, up));
  }
}
