package dev.kancil.backend.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share the chunks of one piece of work at a time; the caller takes part.
 *
 * <p>Who comes first takes the next chunk, so a thread that the system holds up delays the work by
 * one chunk, and a thread that never wakes delays nothing. Idle threads spin for a moment, since
 * the next kernel of a step follows within microseconds, and then sleep, since a spinning thread
 * takes its neighbours' time.
 *
 * <p>Invariant: {@code claim} holds the work's number in its high and the chunks not yet taken in
 * its low half. A thread owns a chunk once it has lowered that count by compare-and-set; the next
 * work begins only when every chunk is finished, so what was read before a successful claim was the
 * claimed work's.
 */
final class WorkerPool implements AutoCloseable {
  /** One piece of work, cut into chunks that may run in any order and on any thread. */
  @FunctionalInterface
  interface Work {
    /**
     * @param chunk which one, from 0
     * @param thread which of the pool's threads runs it, from 0, for scratch memory
     */
    void run(int chunk, int thread);
  }

  private static final long SPIN_NANOS = 40_000;
  private static final int SPINS_BETWEEN_CLOCK_READS = 32;
  private static final VarHandle STATE = MethodHandles.arrayElementVarHandle(long[].class);
  // Two cache lines apart, since processors fetch lines in pairs.
  private static final int CLAIM = 16;
  private static final int UNFINISHED = 32;

  private final long[] state = new long[48];
  private final Thread[] workers;
  private final boolean[] asleep;
  private static final VarHandle ASLEEP = MethodHandles.arrayElementVarHandle(boolean[].class);
  private int chunks;
  private Work work = (_, _) -> {};
  private long number;
  private volatile boolean closed;
  private volatile @Nullable Thread waiting;
  private volatile @Nullable Throwable failure;

  /**
   * @param threads how many work in all, the caller of {@link #run} included
   */
  WorkerPool(int threads) {
    workers = new Thread[threads - 1];
    asleep = new boolean[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      int worker = i;
      workers[i] =
          Thread.ofPlatform().name("kancil-cpu-" + (i + 1)).daemon().start(() -> work(worker));
    }
  }

  /** Threads that take part, the caller included. */
  int threads() {
    return workers.length + 1;
  }

  /**
   * Runs all chunks and returns when they are done. Called by one thread at a time; allocates
   * nothing.
   */
  void run(int chunkCount, Work newWork) {
    if (chunkCount <= 1 || workers.length == 0) {
      for (int chunk = 0; chunk < chunkCount; chunk++) {
        newWork.run(chunk, 0);
      }
      return;
    }
    chunks = chunkCount;
    work = newWork;
    number++;
    STATE.setVolatile(state, UNFINISHED, (long) chunkCount);
    STATE.setVolatile(state, CLAIM, number << 32 | chunkCount);
    wake(chunkCount - 1);
    while (takeChunk(0)) {}
    awaitUnfinished();
    if (failure != null) {
      rethrow();
    }
  }

  private void wake(int most) {
    for (int i = 0; i < workers.length && i < most; i++) {
      if ((boolean) ASLEEP.getVolatile(asleep, i)) {
        ASLEEP.setVolatile(asleep, i, false);
        LockSupport.unpark(workers[i]);
      }
    }
  }

  private boolean takeChunk(int thread) {
    while (true) {
      long claim = (long) STATE.getVolatile(state, CLAIM);
      int left = (int) claim;
      if (left == 0) {
        return false;
      }
      if (STATE.compareAndSet(state, CLAIM, claim, claim - 1)) {
        try {
          work.run(chunks - left, thread);
        } catch (Throwable e) {
          failure = e;
        }
        if ((long) STATE.getAndAdd(state, UNFINISHED, -1L) == 1) {
          Thread waiter = waiting;
          if (waiter != null) {
            LockSupport.unpark(waiter);
          }
        }
        return true;
      }
    }
  }

  private boolean isUnfinished() {
    return (long) STATE.getVolatile(state, UNFINISHED) != 0;
  }

  private void awaitUnfinished() {
    if (!isUnfinished()) {
      return;
    }
    long start = System.nanoTime();
    do {
      for (int i = 0; i < SPINS_BETWEEN_CLOCK_READS; i++) {
        if (!isUnfinished()) {
          return;
        }
        Thread.onSpinWait();
      }
    } while (System.nanoTime() - start < SPIN_NANOS);
    waiting = Thread.currentThread();
    boolean interrupted = false;
    while (isUnfinished()) {
      LockSupport.park(this);
      // An interrupted thread does not park; keep the interruption for later.
      interrupted |= Thread.interrupted();
    }
    waiting = null;
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void rethrow() {
    Throwable thrown = failure;
    failure = null;
    switch (thrown) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(thrown);
    }
  }

  private boolean hasChunks() {
    return (int) (long) STATE.getVolatile(state, CLAIM) != 0;
  }

  private void work(int worker) {
    while (!closed) {
      if (!takeChunk(worker + 1) && !spin()) {
        ASLEEP.setVolatile(asleep, worker, true);
        // Looks once more: work that came before the flag was set wakes nobody.
        if (!hasChunks() && !closed) {
          LockSupport.park(this);
        }
        ASLEEP.setVolatile(asleep, worker, false);
      }
    }
  }

  /** Whether work came within a moment. */
  private boolean spin() {
    long start = System.nanoTime();
    do {
      for (int i = 0; i < SPINS_BETWEEN_CLOCK_READS; i++) {
        if (hasChunks()) {
          return true;
        }
        Thread.onSpinWait();
      }
    } while (System.nanoTime() - start < SPIN_NANOS);
    return false;
  }

  /** Ends the threads; no work may be running. */
  @Override
  public void close() {
    closed = true;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
    boolean interrupted = false;
    for (Thread worker : workers) {
      while (true) {
        try {
          worker.join();
          break;
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
