package dev.kancil.backend;

/**
 * Waits to the end and keeps an interruption for later, since device work can't be left halfway.
 */
public final class Uninterrupted {
  private Uninterrupted() {}

  /** Something that waits. */
  @FunctionalInterface
  public interface Wait {
    void run() throws InterruptedException;
  }

  /** Repeats a wait that is interrupted, and interrupts the thread again once it is over. */
  public static void run(Wait wait) {
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
