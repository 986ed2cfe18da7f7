package dev.kancil.cuda.emulator;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A point in a stream's work, and the time when it was reached. */
final class Event {
  private final boolean timed;

  /** The time of the host's clock in nanoseconds; null: not recorded yet. */
  private @Nullable CompletableFuture<Long> reached;

  private boolean captured;

  Event(boolean timed) {
    this.timed = timed;
  }

  synchronized void record(Stream stream) {
    Graphs.Capture capture = stream.capture();
    if (capture != null) {
      // It orders what is recorded; here that is in order anyway.
      capture.check();
      captured = true;
    } else {
      reached = stream.time();
      captured = false;
    }
  }

  void await() {
    CompletableFuture<Long> point = point();
    if (point != null) {
      point.join();
    }
  }

  private synchronized @Nullable CompletableFuture<Long> point() {
    if (captured) {
      throw CudaError.CAPTURED_EVENT.exception("the event was recorded by a stream that records");
    }
    return reached;
  }

  static float milliseconds(Event from, Event to) {
    return (to.nanos() - from.nanos()) * 1e-6f;
  }

  private long nanos() {
    CompletableFuture<Long> point = point();
    if (!timed || point == null) {
      throw CudaError.INVALID_HANDLE.exception(
          timed ? "the event was not recorded" : "the event takes no time stamps");
    }
    if (!point.isDone()) {
      throw CudaError.NOT_READY.exception("the event was not reached yet");
    }
    return point.join();
  }
}
