package dev.kancil.backend;

/**
 * Told how far the long work is that a device does before its first step, such as bringing weights
 * and building kernels. Called on the thread that waits for it.
 */
@FunctionalInterface
public interface LoadProgress {
  /** Tells nobody. */
  LoadProgress NONE = (_, _) -> {};

  /**
   * @param work what is done, in a few words
   * @param share how much of it: 0 to 1, which is all; other work may come between two reports
   */
  void report(String work, double share);
}
