package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.ValueType;
import java.util.List;

/**
 * Stores each row's keys and values under its sequence and position, in the cache's element types.
 *
 * <p>Inputs: k, F32 [rows × key columns]; v, F32 [rows × value columns], as the slot's group has
 * them. No output.
 */
public record CacheWrite(StateSlot slot) implements Primitive {
  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    requireInputs(inputs, 2);
    require(floats(inputs, 0).rows().equals(floats(inputs, 1).rows()), () -> "rows differ");
    return List.of();
  }
}
