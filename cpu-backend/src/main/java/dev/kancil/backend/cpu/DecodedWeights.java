package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Weights of norms and biases as float32 where native kernels read them. */
final class DecodedWeights {
  private DecodedWeights() {}

  /** Some vectors one after the other; the garbage collector frees them. */
  static MemorySegment of(float[]... vectors) {
    long floats = 0;
    for (float[] vector : vectors) {
      floats += vector.length;
    }
    MemorySegment weights = NativeMemory.allocate(4 * floats, Arena.ofAuto(), "weights of a norm");
    long at = 0;
    for (float[] vector : vectors) {
      MemorySegment.copy(vector, 0, weights, ValueLayout.JAVA_FLOAT, at, vector.length);
      at += 4L * vector.length;
    }
    return weights;
  }
}
