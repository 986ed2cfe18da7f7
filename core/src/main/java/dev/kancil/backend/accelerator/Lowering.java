package dev.kancil.backend.accelerator;

import dev.kancil.graph.Node;

/** Makes a program's nodes work of a device, and owns what that takes. */
public interface Lowering extends AutoCloseable {
  /**
   * Binds a node to its operands.
   *
   * @throws dev.kancil.UnsupportedException naming the op that has no kernel
   */
  Work lower(Node node);

  /** Waits until all that was lowered can run. */
  void finish();

  @Override
  void close();
}
