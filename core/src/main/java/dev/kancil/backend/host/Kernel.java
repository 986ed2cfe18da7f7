package dev.kancil.backend.host;

/** One node, bound to its operands. Run on the device's thread, once a step; allocates nothing. */
@FunctionalInterface
public interface Kernel {
  void run(HostStep step);
}
