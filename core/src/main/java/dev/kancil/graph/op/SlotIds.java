package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.tensor.DataType;
import java.util.List;

/**
 * {@code ids[r, s] = s}: every row has every slot, in order. With these ids a {@link MoeMatMul} is
 * a product of each head with a matrix of its own, as latent attention has (DeepSeek-AI 2024,
 * "DeepSeek-V2", section 2.1.2).
 *
 * <p>Input: any value of the rows. Output: I32 [rows × slots].
 *
 * @param slots how many there are
 */
public record SlotIds(int slots) implements Primitive {
  public SlotIds {
    if (slots < 1) {
      throw new IllegalArgumentException(slots + " slots");
    }
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 1);
    return List.of(new ValueType(DataType.I32, valueType(inputs, 0).rows(), slots));
  }
}
