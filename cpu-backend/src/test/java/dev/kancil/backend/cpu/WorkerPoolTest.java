package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8})
  void everyChunkOfEveryWorkRunsOnceBeforeTheNextBegins(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (int round = 0; round < 3000; round++) {
        int chunks = round % 67;
        AtomicIntegerArray runs = new AtomicIntegerArray(Math.max(1, chunks));
        pool.run(chunks, (chunk, _) -> runs.incrementAndGet(chunk));
        for (int chunk = 0; chunk < chunks; chunk++) {
          assertThat(runs.get(chunk)).isOne();
        }
      }
    }
  }

  @Test
  void sleepingWorkersWakeForNewWork() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int round = 0; round < 5; round++) {
        AtomicReference<Thread> other = new AtomicReference<>();
        Thread.sleep(20);
        Thread caller = Thread.currentThread();
        // The caller's chunk waits for the worker's, so both must take part.
        pool.run(
            2,
            (_, _) -> {
              if (Thread.currentThread() != caller) {
                other.set(Thread.currentThread());
              }
              while (other.get() == null) {
                Thread.onSpinWait();
              }
            });
        assertThat(other.get()).isNotNull();
      }
    }
  }

  @Test
  void aFailingChunkFailsTheWorkAndThePoolGoesOn() {
    try (WorkerPool pool = new WorkerPool(3)) {
      WorkerPool.Work failing =
          (chunk, _) -> {
            if (chunk == 5) {
              throw new IllegalArgumentException("chunk five");
            }
          };
      for (int round = 0; round < 100; round++) {
        assertThatThrownBy(() -> pool.run(20, failing)).hasMessage("chunk five");
        pool.run(20, (_, _) -> {});
      }
    }
  }

  @Test
  void closingEndsAllThreads() {
    new WorkerPool(4).close();
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().startsWith("kancil-cpu-") && thread.isAlive());
  }
}
