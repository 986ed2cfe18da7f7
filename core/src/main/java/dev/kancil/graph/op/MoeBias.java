package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import java.util.List;

/**
 * {@code y[r, s] = x[r, s] + b[ids[r, s]]}: what experts add to their products ({@link MoeMatMul}).
 *
 * <p>Inputs: x, F32 [rows × used · columns], slots beside each other; b [experts, columns]; ids,
 * I32 [rows × used]. Output: as x. An id that is no expert's stands for the nearest that is.
 * Source: OpenAI 2025, "gpt-oss".
 */
public record MoeBias() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 3);
    ValueType x = floats(inputs, 0);
    Weight bias = weight(inputs, 1);
    ValueType ids = valueType(inputs, 2);
    require(
        ids.type() == DataType.I32 && ids.rows().equals(x.rows()),
        () -> "ids are " + ids + " for " + x);
    boolean fits =
        bias.shape().rank() == 2
            && bias.shape().dimension(0) > 0
            && bias.shape().columns() * ids.columns() == x.columns();
    require(
        fits,
        () ->
            bias.name()
                + " of shape "
                + bias.shape()
                + " does not fit "
                + x.columns()
                + " columns of "
                + ids.columns()
                + " slots");
    return List.of(x);
  }
}
