package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * Grouped-query attention of each row over its own sequence's cached keys and values (Vaswani et
 * al. 2017; Ainslie et al. 2023): {@code y = softmax(score(scale · q·kᵀ), masked) · v} for each
 * head; head h reads KV head {@code h · kvHeads / heads}.
 *
 * <p>Input: q, F32 [rows × heads · keyWidth]; positions, I32 [rows × 1]. Output: F32 [rows × heads
 * · valueWidth]. A row that sees no key yields zeros.
 *
 * @param slot where keys and values were written
 * @param scale what raw scores are multiplied by
 * @param mask which keys a query sees
 * @param score what becomes of the scaled score before the softmax
 */
public record Attention(
    StateSlot slot,
    int heads,
    int kvHeads,
    int keyWidth,
    int valueWidth,
    float scale,
    Mask mask,
    Score score)
    implements Primitive {
  public Attention {
    if (heads < 1 || kvHeads < 1 || heads % kvHeads != 0 || keyWidth < 1 || valueWidth < 1) {
      throw new IllegalArgumentException(
          heads + " heads on " + kvHeads + " KV heads, widths " + keyWidth + " and " + valueWidth);
    }
  }

  /** The same over another layer's keys and values. */
  public Attention withSlot(StateSlot other) {
    return new Attention(other, heads, kvHeads, keyWidth, valueWidth, scale, mask, score);
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    ValueType q = floats(inputs, 0);
    require(q.columns() == heads * keyWidth, () -> "queries have " + q.columns() + " columns");
    requirePositions(inputs, 1, q.rows());
    return List.of(q.withColumns(heads * valueWidth));
  }
}
