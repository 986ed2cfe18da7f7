package dev.kancil;

import dev.kancil.engine.Run;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A text in the making. It can be read as it comes, by any number of readers, each from its start:
 * as an {@link Iterable}, as a {@link #publisher}, or whole, as {@link #completion}. A slow reader
 * delays nobody. Reading on a thread that is interrupted cancels it.
 *
 * <p>All methods may be called from any thread.
 */
public final class Generation implements Iterable<Chunk>, AutoCloseable {
  private final List<Chunk> chunks = new ArrayList<>();
  private final CompletableFuture<Completion> completion = new CompletableFuture<>();
  private boolean ended;
  private boolean cancelled;
  private @Nullable RuntimeException failure;
  private @Nullable Run run;

  Generation() {}

  /** Connects this with the run whose text it is. */
  synchronized void start(Run started) {
    run = started;
    if (cancelled) {
      started.cancel();
    }
  }

  synchronized void add(Chunk chunk) {
    chunks.add(chunk);
    notifyAll();
  }

  void end(Completion completed) {
    synchronized (this) {
      ended = true;
      notifyAll();
    }
    // What a caller has chained to the future must not run on, and so delay, the engine's thread.
    Thread.startVirtualThread(() -> completion.complete(completed));
  }

  void fail(RuntimeException thrown) {
    synchronized (this) {
      ended = true;
      failure = thrown;
      notifyAll();
    }
    Thread.startVirtualThread(() -> completion.completeExceptionally(thrown));
  }

  /** Ends it within one step; the completion then says {@link FinishReason#CANCELLED}. */
  public synchronized void cancel() {
    cancelled = true;
    if (run != null) {
      run.cancel();
    }
  }

  /** Whether it has ended, for whatever reason. */
  public synchronized boolean isDone() {
    return ended;
  }

  /**
   * The whole result, once it is there. Cancelling this future does not end the generation; {@link
   * #cancel} does.
   *
   * @return a future that fails with a {@link KancilException} where the generation failed
   */
  public CompletableFuture<Completion> completion() {
    return completion.copy();
  }

  /**
   * Waits for the end and returns the result.
   *
   * @throws KancilException if the generation failed
   */
  public Completion await() {
    for (Chunk _ : this) {}
    try {
      return completion.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  /**
   * The chunks from the first on. {@code next} and {@code hasNext} wait for the model, and throw a
   * {@link KancilException} where the generation failed.
   */
  @Override
  public Iterator<Chunk> iterator() {
    return new Iterator<>() {
      private int index;

      @Override
      public boolean hasNext() {
        return waitFor(index) != null;
      }

      @Override
      public Chunk next() {
        Chunk chunk = waitFor(index);
        if (chunk == null) {
          throw new NoSuchElementException();
        }
        index++;
        return chunk;
      }
    };
  }

  /** Chunk {@code index}, or null if the text ends before. */
  private synchronized @Nullable Chunk waitFor(int index) {
    boolean interrupted = false;
    while (index >= chunks.size() && !ended) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
        cancel();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (index < chunks.size()) {
      return chunks.get(index);
    }
    if (failure != null) {
      throw failure;
    }
    return null;
  }

  /**
   * The chunks as a publisher; each subscriber gets all of them from the first on, at its own pace,
   * on a virtual thread of its own. Cancelling a subscription leaves the generation alone.
   */
  public Flow.Publisher<Chunk> publisher() {
    return subscriber -> new ChunkSubscription(this, subscriber).start();
  }

  /** Cancels it and waits for its end. */
  @Override
  public void close() {
    cancel();
    completion.handle((_, _) -> true).join();
  }
}
