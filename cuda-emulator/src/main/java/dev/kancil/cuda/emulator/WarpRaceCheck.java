package dev.kancil.cuda.emulator;

import java.util.Arrays;

/**
 * The race check of kernels without mbarriers, where threads wait as warps. For each piece of
 * memory it knows the last writer and the last readers, and for each pair of warps up to which
 * access the one has waited for the other, at a barrier or, for the warp itself, at {@code
 * bar.warp.sync}. Nothing else orders accesses. It may miss a race, since the readers of a piece of
 * memory are remembered as warps. In the same way it knows for which writes {@code
 * fence.proxy.async} lies before a warp's asynchronous reads.
 */
final class WarpRaceCheck extends RaceCheck {
  private static final int THREAD_BITS = 10;
  private static final int THREAD = (1 << THREAD_BITS) - 1;
  private static final int ATOMIC = 1 << THREAD_BITS;

  /** Its warp had run {@code fence.proxy.async} at the same clock before. */
  private static final int LATE = 1 << THREAD_BITS + 1;

  private static final int CLOCK_SHIFT = THREAD_BITS + 2;
  private static final int LAST_CLOCK = (1 << 31 - CLOCK_SHIFT) - 1;

  private final int shift;
  // Clock, atomic flag and thread of the last writer and the last reader; 0: none since the start.
  private final int[] writes;
  private final int[] reads;
  private final int[] readingWarps;
  private final boolean[] severalReaders;
  // known[a * warps + b]: accesses of warp b up to this clock come before whatever warp a does now.
  private final int[] known;
  // published[a * warps + b]: writes of warp b up to this moment come before asynchronous reads of
  // warp a, for which a barrier is not enough. In half clocks.
  private final int[] published;
  // The same of those that have come to a barrier without waiting, together: arrivals[barrier *
  // warps + b].
  private final int[] arrivals;
  private final int[] publishedArrivals;
  // The clock at which each warp last ran fence.proxy.async.
  private final int[] fences;
  private final int warps;
  private int clock;

  WarpRaceCheck(int bytes, int granule, int warps) {
    shift = Integer.numberOfTrailingZeros(granule);
    int pieces = (bytes >> shift) + 1;
    writes = new int[pieces];
    reads = new int[pieces];
    readingWarps = new int[pieces];
    severalReaders = new boolean[pieces];
    known = new int[warps * warps];
    published = new int[warps * warps];
    arrivals = new int[Barriers.COUNT * warps];
    publishedArrivals = new int[Barriers.COUNT * warps];
    fences = new int[warps];
    this.warps = warps;
  }

  @Override
  void start() {
    Arrays.fill(writes, 0);
    Arrays.fill(reads, 0);
    Arrays.fill(known, 0);
    Arrays.fill(published, 0);
    Arrays.fill(arrivals, 0);
    Arrays.fill(publishedArrivals, 0);
    Arrays.fill(fences, 0);
    clock = 1;
  }

  @Override
  int read(int offset, int bytes, int thread, boolean atomic) {
    int entry = clock << CLOCK_SHIFT | (atomic ? ATOMIC : 0) | thread;
    int warp = thread >> 5;
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      int write = writes[i];
      if (conflicts(write, thread, atomic)) {
        return write & THREAD;
      }
      int old = reads[i];
      if (old >> CLOCK_SHIFT == clock) {
        severalReaders[i] |= (old & THREAD) != thread;
        readingWarps[i] |= 1 << warp;
        // A read that is not atomic keeps its mark among atomic ones.
        reads[i] = entry & (old | ~ATOMIC);
      } else {
        severalReaders[i] = false;
        readingWarps[i] = 1 << warp;
        reads[i] = entry;
      }
    }
    return NOBODY;
  }

  @Override
  int write(int offset, int bytes, int thread, boolean atomic) {
    int late = fences[thread >> 5] == clock ? LATE : 0;
    int entry = clock << CLOCK_SHIFT | late | (atomic ? ATOMIC : 0) | thread;
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      if (conflicts(writes[i], thread, atomic)) {
        return writes[i] & THREAD;
      }
      int read = reads[i];
      if (read != 0 && !(atomic && (read & ATOMIC) != 0)) {
        if (severalReaders[i] ? isUnordered(i, thread >> 5) : conflicts(read, thread, atomic)) {
          return read & THREAD | HAS_READ;
        }
      }
      writes[i] = entry;
    }
    return NOBODY;
  }

  @Override
  int readTogether(int offset, int bytes, int warp) {
    int entry = clock << CLOCK_SHIFT | warp << 5;
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      int write = writes[i];
      if (write != 0 && write >> CLOCK_SHIFT > known[warp * warps + ((write & THREAD) >> 5)]) {
        return write & THREAD;
      }
      boolean isFirst = reads[i] >> CLOCK_SHIFT != clock;
      readingWarps[i] = (isFirst ? 0 : readingWarps[i]) | 1 << warp;
      severalReaders[i] = true;
      reads[i] = entry;
    }
    return NOBODY;
  }

  @Override
  int unpublished(int offset, int bytes, int warp) {
    for (int i = offset >> shift; i <= offset + bytes - 1 >> shift; i++) {
      int write = writes[i];
      int moment = 2 * (write >> CLOCK_SHIFT) + ((write & LATE) != 0 ? 1 : 0);
      if (write != 0 && moment > published[warp * warps + ((write & THREAD) >> 5)]) {
        return write & THREAD;
      }
    }
    return NOBODY;
  }

  private boolean conflicts(int entry, int thread, boolean atomic) {
    return entry != 0
        && (entry & THREAD) != thread
        && !(atomic && (entry & ATOMIC) != 0)
        && entry >> CLOCK_SHIFT > known[(thread >> 5) * warps + ((entry & THREAD) >> 5)];
  }

  private boolean isUnordered(int piece, int warp) {
    int at = reads[piece] >> CLOCK_SHIFT;
    for (int m = readingWarps[piece]; m != 0; m &= m - 1) {
      if (at > known[warp * warps + Integer.numberOfTrailingZeros(m)]) {
        return true;
      }
    }
    return false;
  }

  @Override
  void meet(Warp warp) {
    known[warp.index * warps + warp.index] = clock;
    tick();
  }

  @Override
  void publish(Warp warp) {
    int first = warp.index * warps;
    for (int other = 0; other < warps; other++) {
      published[first + other] = Math.max(published[first + other], 2 * known[first + other] + 1);
    }
    published[first + warp.index] = 2 * clock + (fences[warp.index] == clock ? 1 : 0);
    fences[warp.index] = clock;
  }

  @Override
  void arrive(Warp warp, int barrier) {
    known[warp.index * warps + warp.index] = clock;
    for (int other = 0; other < warps; other++) {
      int at = barrier * warps + other;
      arrivals[at] = Math.max(arrivals[at], known[warp.index * warps + other]);
      publishedArrivals[at] =
          Math.max(publishedArrivals[at], published[warp.index * warps + other]);
    }
    tick();
  }

  @Override
  void meet(Warp[] all, int barrier) {
    for (Warp warp : all) {
      if (warp.waiting(barrier) != 0) {
        known[warp.index * warps + warp.index] = clock;
      }
    }
    share(all, barrier, known, arrivals);
    share(all, barrier, published, publishedArrivals);
    tick();
  }

  /** What one of the warps at a barrier knows of another, all do. */
  private void share(Warp[] all, int barrier, int[] table, int[] arrived) {
    int from = barrier * warps;
    int[] together = Arrays.copyOfRange(arrived, from, from + warps);
    Arrays.fill(arrived, from, from + warps, 0);
    for (Warp warp : all) {
      if (warp.waiting(barrier) != 0) {
        for (int other = 0; other < warps; other++) {
          together[other] = Math.max(together[other], table[warp.index * warps + other]);
        }
      }
    }
    for (Warp warp : all) {
      if (warp.waiting(barrier) != 0) {
        System.arraycopy(together, 0, table, warp.index * warps, warps);
      }
    }
  }

  private void tick() {
    if (clock == LAST_CLOCK) {
      // Forgetting misses a race across this point, after half a million barriers.
      start();
    } else {
      clock++;
    }
  }
}
