package dev.kancil.graph.op;

import java.lang.foreign.MemorySegment;

/** Sees, and may change, a value while a step runs. */
@FunctionalInterface
public interface TapFunction {
  /**
   * Called on the device's thread, once a step.
   *
   * @param data the value's rows, float32 in native order, to be read or overwritten; valid during
   *     the call only
   * @param rows rows in this step
   * @param columns elements of a row
   */
  void apply(MemorySegment data, int rows, int columns);
}
