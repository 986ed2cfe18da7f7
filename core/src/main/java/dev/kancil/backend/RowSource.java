package dev.kancil.backend;

import java.lang.foreign.MemorySegment;

/**
 * Brings inputs of a graph that no {@link Batch} has: values with a row for each token, such as the
 * hidden states that another device has computed, or ids of other things than tokens.
 */
@FunctionalInterface
public interface RowSource {
  /** Of graphs that have no such inputs. */
  RowSource NONE =
      (input, _) -> {
        throw new IllegalStateException("nothing brings the input " + input);
      };

  /**
   * Brings an input's rows: once for each step and input, on the device's thread, which may wait
   * here for what it works on next.
   *
   * @param input its name
   * @param target room for the step's rows, in C order, elements in native order
   */
  void fill(String input, MemorySegment target);
}
