package dev.kancil.backend.host;

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
    return step.batch().rows(type.rows());
  }

  public int columns() {
    return type.columns();
  }
}
