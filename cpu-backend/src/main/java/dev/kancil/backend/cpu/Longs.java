package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;

/** As {@link Floats}, of whole numbers. */
record Longs(long[] array, MemorySegment view) {
  static Longs of(int count) {
    long[] array = new long[count];
    return new Longs(array, MemorySegment.ofArray(array));
  }
}
