package dev.kancil.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A listener that keeps what it hears. */
class Collected implements TokenListener {
  private final List<Integer> tokens = new ArrayList<>();
  private final CompletableFuture<RunEnd> end = new CompletableFuture<>();
  private @Nullable RuntimeException failure;

  @Override
  public synchronized boolean token(int token) {
    tokens.add(token);
    return true;
  }

  @Override
  public synchronized void ended(RunEnd reason, @Nullable RuntimeException thrown) {
    failure = thrown;
    if (!end.complete(reason)) {
      throw new AssertionError("ended twice");
    }
  }

  synchronized List<Integer> tokens() {
    return List.copyOf(tokens);
  }

  synchronized @Nullable RuntimeException failure() {
    return failure;
  }

  /** Waits for the end. */
  RunEnd end() {
    try {
      return end.get(60, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new AssertionError("the run did not end; it has " + tokens(), e);
    }
  }
}
