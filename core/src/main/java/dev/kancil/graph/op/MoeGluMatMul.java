package dev.kancil.graph.op;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * {@code activation(x · G[e]ᵀ) · (x · U[e]ᵀ)} for each expert e of a row: gate and up projections
 * of {@link MoeMatMul} with the {@link Glu} as epilogue.
 *
 * <p>Inputs: x, F32 [rows × in] or [rows × used · in]; G, U [experts, out, in]; ids, I32 [rows ×
 * used]. Output: F32 [rows × used · out].
 */
public record MoeGluMatMul(Activation activation) implements Fused {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 4);
    ValueType gate = MoeMatMul.inferProduct(this, inputs, 1, 3);
    require(
        weight(inputs, 1).shape().equals(weight(inputs, 2).shape()), () -> "gate and up differ");
    return List.of(gate);
  }

  @Override
  public List<Value> decompose(GraphBuilder builder, List<Operand> inputs, List<String> names) {
    String name = names.getFirst();
    Operand x = inputs.get(0);
    Operand ids = inputs.get(3);
    Value gate = builder.add(name + ".gate", new MoeMatMul(), x, inputs.get(1), ids);
    Value up = builder.add(name + ".up", new MoeMatMul(), x, inputs.get(2), ids);
    return List.of(builder.add(name, new Glu(activation), gate, up));
  }
}
