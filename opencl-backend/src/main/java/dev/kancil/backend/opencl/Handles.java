package dev.kancil.backend.opencl;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the driver's objects that we hold, of all kinds and devices: a test sees that none is
 * forgotten.
 */
final class Handles {
  static final AtomicLong OPEN = new AtomicLong();

  private Handles() {}

  static void made() {
    OPEN.incrementAndGet();
  }

  static void released() {
    OPEN.decrementAndGet();
  }
}
