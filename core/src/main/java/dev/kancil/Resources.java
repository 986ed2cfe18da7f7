package dev.kancil;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;

/** What is to be closed, the last first. */
final class Resources {
  private final Deque<Runnable> closers = new ArrayDeque<>();

  /** Takes over {@code resource} and returns it. */
  <T> T add(T resource, Consumer<T> close) {
    closers.push(() -> close.accept(resource));
    return resource;
  }

  /** Closes all because of a failure, which what closing throws is added to. */
  void closeAfter(Throwable failure) {
    try {
      close();
    } catch (RuntimeException later) {
      failure.addSuppressed(later);
    }
  }

  /** Closes all, the last first; what one throws keeps none of the others open. */
  void close() {
    RuntimeException failure = null;
    while (!closers.isEmpty()) {
      try {
        closers.pop().run();
      } catch (RuntimeException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
