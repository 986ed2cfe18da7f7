package dev.kancil.backend.host;

import dev.kancil.graph.MemoryPlan;
import dev.kancil.graph.ValueType;
import java.lang.foreign.MemorySegment;

/**
 * A value as kernels find it.
 *
 * @param index where steps keep its segment
 * @param type element type and size
 */
public record HostValue(int index, ValueType type) {
  /** The value's memory in {@code step}, with room for the largest step. */
  public MemorySegment data(HostStep step) {
    return step.segments[index];
  }

  /** Rows of the value in {@code step}. */
  public int rows(HostStep step) {
    return MemoryPlan.rows(type.rows(), step.batch().rows(), step.batch().outputs());
  }

  public int columns() {
    return type.columns();
  }
}
