package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.tensor.DataType;
import java.util.List;

/**
 * {@code y[i] = x[rows[i]]}: keeps the rows for which an output was asked.
 *
 * <p>Inputs: x, F32 [n × columns]; rows, I32 [m × 1]. Output: F32 [m × columns].
 */
public record SelectRows() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType x = floats(inputs, 0);
    ValueType rows = valueType(inputs, 1);
    require(rows.type() == DataType.I32 && rows.columns() == 1, () -> "rows are " + rows);
    return List.of(ValueType.f32(rows.rows(), x.columns()));
  }
}
