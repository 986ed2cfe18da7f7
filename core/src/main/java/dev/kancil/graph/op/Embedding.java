package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import java.util.List;

/**
 * Row lookup: {@code y[i] = table[ids[i]]}, decoded to float32.
 *
 * <p>Inputs: ids, I32 [rows × 1]; table [vocabulary, width], any type. Output: F32 [rows × width].
 * Ids are checked before a step is enqueued.
 */
public record Embedding() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType ids = valueType(inputs, 0);
    Weight table = weight(inputs, 1);
    require(ids.type() == DataType.I32 && ids.columns() == 1, () -> "ids are " + ids);
    require(table.shape().rank() == 2, () -> table.name() + " has shape " + table.shape());
    return List.of(ValueType.f32(ids.rows(), Math.toIntExact(table.shape().columns())));
  }
}
