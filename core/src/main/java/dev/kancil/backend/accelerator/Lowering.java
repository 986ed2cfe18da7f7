package dev.kancil.backend.accelerator;

import dev.kancil.graph.Node;
import dev.kancil.graph.Value;

/** Makes a program's nodes work of a device, and owns what that takes. */
public interface Lowering extends AutoCloseable {
  /**
   * Binds a node to its operands.
   *
   * @throws dev.kancil.UnsupportedException naming the op that has no kernel
   */
  Work lower(Node node);

  /**
   * Puts tokens that the step before chose in the place of those that stand for them ({@link
   * dev.kancil.backend.Batch#token}).
   */
  Work feed(Value tokens, Value chosen);

  /** Waits until all that was lowered can run. */
  void finish();

  @Override
  void close();
}
