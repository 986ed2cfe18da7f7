package dev.kancil.backend.host;

import java.lang.foreign.MemorySegment;

/** How a device's kernels lay a weight for themselves. */
public interface Packing {
  /** What it takes. */
  long bytes();

  /**
   * Lays it.
   *
   * @param from the tensor's data
   * @param to {@link #bytes} of zeros
   */
  void pack(MemorySegment from, MemorySegment to);
}
