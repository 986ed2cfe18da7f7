package dev.kancil.cli.pull;

import java.time.Duration;

/**
 * How often something is tried again, and after which pauses: each is twice the one before it.
 *
 * @param tries after the first one, without any progress
 */
record Backoff(int tries, Duration first) {
  static final Backoff USUAL = new Backoff(5, Duration.ofSeconds(1));

  /**
   * Waits.
   *
   * @param failures so many in a row, at least 1
   */
  void pause(int failures) throws InterruptedException {
    Thread.sleep(first.multipliedBy(1L << Math.min(failures - 1, 20)));
  }
}
