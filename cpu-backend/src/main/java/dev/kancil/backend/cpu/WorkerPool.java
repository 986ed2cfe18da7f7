package dev.kancil.backend.cpu;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that share the chunks of one piece of work at a time; the caller takes part.
 *
 * <p>Each thread has a run of chunks, of which it takes the first that is left: what a chunk reads
 * mostly lies behind what the one before read, and kernels fetch ahead. Then it takes the last ones
 * of the others' runs. So a thread that the system holds up delays the work by one chunk, and a
 * thread that never wakes delays nothing. Idle threads spin for a moment, since the next kernel of
 * a step follows within microseconds, and then sleep, since a spinning thread takes its neighbours'
 * time.
 *
 * <p>Invariant: a thread's claim holds the first chunk of its run that is left in its high and the
 * end of the run in its low half. Who has raised the one or lowered the other by compare-and-set
 * owns that chunk; the next work begins only when every chunk is finished, so a successful claim is
 * of the work at hand, whichever one the claim was read in.
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
  private static final int APART = 16;
  private static final int NUMBER = APART;
  private static final int UNFINISHED = 2 * APART;
  private static final int CLAIMS = 3 * APART;

  private final long[] state;
  private final Thread[] workers;
  private final boolean[] asleep;
  private static final VarHandle ASLEEP = MethodHandles.arrayElementVarHandle(boolean[].class);
  private Work work = (_, _) -> {};
  private volatile boolean closed;
  private volatile @Nullable Thread waiting;
  private volatile @Nullable Throwable failure;

  /**
   * @param threads how many work in all, the caller of {@link #run} included
   */
  WorkerPool(int threads) {
    state = new long[CLAIMS + (threads + 1) * APART];
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
    work = newWork;
    STATE.setVolatile(state, UNFINISHED, (long) chunkCount);
    for (int thread = 0; thread < threads(); thread++) {
      STATE.setVolatile(state, claim(thread), runOf(thread, chunkCount));
    }
    // Last: who sees a new number looks for chunks once.
    STATE.setVolatile(state, NUMBER, number() + 1);
    wake(chunkCount - 1);
    while (takeChunk(0)) {}
    awaitUnfinished();
    if (failure != null) {
      rethrow();
    }
  }

  private static int claim(int thread) {
    return CLAIMS + thread * APART;
  }

  private long runOf(int thread, long chunkCount) {
    long first = chunkCount * thread / threads();
    long end = chunkCount * (thread + 1) / threads();
    return first << 32 | end;
  }

  private long number() {
    return (long) STATE.getVolatile(state, NUMBER);
  }

  private void wake(int most) {
    for (int i = 0; i < workers.length && i < most; i++) {
      if ((boolean) ASLEEP.getVolatile(asleep, i)) {
        ASLEEP.setVolatile(asleep, i, false);
        LockSupport.unpark(workers[i]);
      }
    }
  }

  /** Runs a chunk of the thread's own run, or else of another's; false if none is left. */
  private boolean takeChunk(int thread) {
    int chunk = takeFirst(claim(thread));
    for (int i = 1; chunk < 0 && i < threads(); i++) {
      chunk = takeLast(claim((thread + i) % threads()));
    }
    if (chunk < 0) {
      return false;
    }
    try {
      work.run(chunk, thread);
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

  private int takeFirst(int at) {
    while (true) {
      long claim = (long) STATE.getVolatile(state, at);
      int first = (int) (claim >>> 32);
      if (first >= (int) claim) {
        return -1;
      }
      if (STATE.compareAndSet(state, at, claim, claim + (1L << 32))) {
        return first;
      }
    }
  }

  private int takeLast(int at) {
    while (true) {
      long claim = (long) STATE.getVolatile(state, at);
      int last = (int) claim - 1;
      if (last < (int) (claim >>> 32)) {
        return -1;
      }
      if (STATE.compareAndSet(state, at, claim, claim - 1)) {
        return last;
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

  private void work(int worker) {
    long seen = 0;
    while (!closed) {
      long now = number();
      if (now != seen) {
        seen = now;
        while (takeChunk(worker + 1)) {}
      } else if (!spin(seen)) {
        ASLEEP.setVolatile(asleep, worker, true);
        // Looks once more: work that came before the flag was set wakes nobody.
        if (number() == seen && !closed) {
          LockSupport.park(this);
        }
        ASLEEP.setVolatile(asleep, worker, false);
      }
    }
  }

  /** Whether other work than was seen came within a moment. */
  private boolean spin(long seen) {
    long start = System.nanoTime();
    do {
      for (int i = 0; i < SPINS_BETWEEN_CLOCK_READS; i++) {
        if (number() != seen) {
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
