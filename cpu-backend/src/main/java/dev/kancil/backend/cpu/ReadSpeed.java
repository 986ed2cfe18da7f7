package dev.kancil.backend.cpu;

import dev.kancil.DeviceException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * How fast threads read memory: they compare two halves of much more than caches hold, which the
 * JVM does with vectors and without a loop of ours.
 */
final class ReadSpeed {
  private static final long HALF_BYTES = 1L << 28;
  private static final int CHUNK_BYTES = 1 << 20;
  private static final int REPETITIONS = 9;
  private static final byte FILLING = 1;

  private ReadSpeed() {}

  /** Bytes a second, the median of some runs. No step may run meanwhile. */
  static double measure(WorkerPool pool) {
    try (Arena arena = Arena.ofShared()) {
      MemorySegment one = arena.allocate(HALF_BYTES);
      MemorySegment other = arena.allocate(HALF_BYTES);
      one.fill(FILLING);
      other.fill(FILLING);
      WorkerPool.Work work =
          (chunk, _) -> {
            long from = (long) chunk * CHUNK_BYTES;
            long to = from + CHUNK_BYTES;
            if (MemorySegment.mismatch(one, from, to, other, from, to) != -1) {
              throw new DeviceException("memory does not hold what was written there");
            }
          };
      double[] seconds = new double[REPETITIONS];
      for (int i = 0; i < REPETITIONS; i++) {
        long start = System.nanoTime();
        pool.run((int) (HALF_BYTES / CHUNK_BYTES), work);
        seconds[i] = (System.nanoTime() - start) / 1e9;
      }
      Arrays.sort(seconds);
      return 2 * HALF_BYTES / seconds[REPETITIONS / 2];
    }
  }
}
