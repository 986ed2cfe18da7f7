package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import java.util.List;

/**
 * {@code y[r, c] = x[r, columns[c]]}: columns in another order, which is the same for all rows.
 * Numbers that are no column's stand for the nearest.
 *
 * <p>Inputs: x, F32 [rows × n]; columns, I32 [m], of which numbers below 2^24 are exact on every
 * device. Output: F32 [rows × m].
 */
public record SelectColumns() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType x = floats(inputs, 0);
    Weight columns = weight(inputs, 1);
    require(
        columns.type() == DataType.I32 && columns.shape().rank() == 1,
        () -> columns.name() + " is " + columns.type() + " " + columns.shape());
    return List.of(x.withColumns(Math.toIntExact(columns.shape().columns())));
  }
}
