package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import java.util.List;

/**
 * {@code y[r, s] = x[r] · W[ids[r, s]]ᵀ}: each row times the matrices of its experts, one for each
 * of its slots s. Where x has a part for each slot, as a second projection's input does, it is
 * {@code x[r, s]} instead.
 *
 * <p>Inputs: x, F32 [rows × in] or [rows × used · in]; W [experts, out, in], any type; ids, I32
 * [rows × used]. Output: F32 [rows × used · out], slots beside each other. An id that is no
 * expert's stands for the nearest that is.
 *
 * <p>To a device W is one matrix of experts · out rows: those of expert e begin at e · out.
 *
 * <p>Source: Shazeer et al. 2017, "Outrageously Large Neural Networks: The Sparsely-Gated
 * Mixture-of-Experts Layer"; Mixtral (Jiang et al. 2024), Qwen3-MoE, DeepSeek-V3.
 */
public record MoeMatMul() implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 3);
    return List.of(inferProduct(this, inputs, 1, 2));
  }

  /** Whether a product of x with the experts' matrices W takes a part of x for each slot. */
  public static boolean isApart(Value x, Weight weight) {
    return x.type().columns() != weight.shape().columns();
  }

  /** The type of input 0 times the experts' matrices at {@code index}. */
  static ValueType inferProduct(Op op, List<Operand> inputs, int index, int idsIndex) {
    ValueType x = op.floats(inputs, 0);
    Weight weight = op.weight(inputs, index);
    ValueType ids = op.valueType(inputs, idsIndex);
    op.require(
        ids.type() == DataType.I32 && ids.rows().equals(x.rows()),
        () -> "ids are " + ids + " for " + x);
    boolean fits =
        weight.shape().rank() == 3
            && weight.shape().dimension(0) > 0
            && (weight.shape().columns() == x.columns()
                || weight.shape().columns() * ids.columns() == x.columns());
    op.require(
        fits,
        () ->
            weight.name()
                + " of shape "
                + weight.shape()
                + " does not take "
                + x.columns()
                + " columns for "
                + ids.columns()
                + " slots");
    long out = weight.shape().dimension(1);
    return x.withColumns(Math.toIntExact(Math.multiplyExact(out, ids.columns())));
  }
}
