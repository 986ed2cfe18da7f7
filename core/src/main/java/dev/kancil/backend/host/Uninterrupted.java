package dev.kancil.backend.host;

/**
 * Waits to the end and keeps an interruption for later, since device work can't be left halfway.
 */
final class Uninterrupted {
  private Uninterrupted() {}

  /** Something that waits. */
  @FunctionalInterface
  interface Wait {
    void run() throws InterruptedException;
  }

  static void run(Wait wait) {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          wait.run();
          return;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
