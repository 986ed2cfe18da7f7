package dev.kancil.backend;

import java.lang.foreign.MemorySegment;

/** One forward pass that was enqueued. Closing gives its buffers back to the program. */
public interface Step extends AutoCloseable {
  /**
   * Waits until the step is done and returns an output of the graph.
   *
   * @param name the value's name
   * @return its rows in C order, elements in native order, in host memory, with room for the
   *     program's limits behind them; valid until {@link #close}
   * @throws dev.kancil.DeviceException if the device failed
   */
  MemorySegment output(String name);

  /** Waits until the step is done. */
  void await();

  @Override
  void close();
}
