package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;

/** An array, and how native kernels are given it: a view, which would be allocated at each call. */
record Floats(float[] array, MemorySegment view) {
  static Floats of(int count) {
    float[] array = new float[count];
    return new Floats(array, MemorySegment.ofArray(array));
  }
}
