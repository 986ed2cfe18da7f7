package dev.kancil.engine;

import org.jspecify.annotations.Nullable;

/**
 * Hears of a run's tokens, on the engine's thread: it must return quickly and never wait, or all
 * other sequences wait with it.
 */
public interface TokenListener {
  /**
   * A token was chosen.
   *
   * @return whether to go on
   */
  boolean token(int token);

  /**
   * The run has ended; nothing follows.
   *
   * @param failure what went wrong, or null
   */
  void ended(RunEnd end, @Nullable RuntimeException failure);
}
