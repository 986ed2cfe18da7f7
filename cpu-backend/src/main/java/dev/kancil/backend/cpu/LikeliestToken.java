package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.INTS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The first of the largest logits, in one pass over them where they lie. Vectors compare them as
 * integers, whose maximum is a single instruction and needs no mask. What is no number then comes
 * first or last; where it comes first, a block is read again, plainly.
 */
final class LikeliestToken {
  private static final int BLOCK = 1024;
  private static final int MAGNITUDE = Integer.MAX_VALUE;

  private LikeliestToken() {}

  /**
   * @return the id, or -1 if no logit is above minus infinity
   */
  static int of(MemorySegment logits, long offset, int count) {
    float most = Float.NEGATIVE_INFINITY;
    int block = -1;
    for (int from = 0; from < count; from += BLOCK) {
      long at = offset + 4L * from;
      float largest =
          count - from < BLOCK ? plainLargest(logits, at, count - from) : largest(logits, at);
      if (largest > most) {
        most = largest;
        block = from;
      }
    }
    int id = block;
    while (id >= 0 && logits.get(ValueLayout.JAVA_FLOAT, offset + 4L * id) != most) {
      id++;
    }
    return id;
  }

  private static float largest(MemorySegment logits, long offset) {
    float most = largest(logits, offset, BLOCK);
    return Float.isNaN(most) ? plainLargest(logits, offset, BLOCK) : most;
  }

  /** The largest of a run of whole vectors, or no number if one of them is none. */
  static float largest(MemorySegment logits, long offset, int count) {
    IntVector most = IntVector.broadcast(INTS, Integer.MIN_VALUE);
    IntVector magnitude = IntVector.broadcast(INTS, MAGNITUDE);
    for (int i = 0; i < count; i += LENGTH) {
      IntVector bits = IntVector.fromMemorySegment(INTS, logits, offset + 4L * i, Lanes.ORDER);
      IntVector flips = bits.lanewise(VectorOperators.ASHR, 31).and(magnitude);
      most = most.max(bits.lanewise(VectorOperators.XOR, flips));
    }
    return logitOf(most.reduceLanes(VectorOperators.MAX));
  }

  /** The largest of a run of whole vectors; minus infinity if none is a number. */
  static float largest(float[] logits, int from, int count) {
    IntVector lanes = IntVector.broadcast(INTS, Integer.MIN_VALUE);
    IntVector magnitude = IntVector.broadcast(INTS, MAGNITUDE);
    for (int i = from; i < from + count; i += LENGTH) {
      IntVector bits = FloatVector.fromArray(FLOATS, logits, i).reinterpretAsInts();
      IntVector flips = bits.lanewise(VectorOperators.ASHR, 31).and(magnitude);
      lanes = lanes.max(bits.lanewise(VectorOperators.XOR, flips));
    }
    float most = logitOf(lanes.reduceLanes(VectorOperators.MAX));
    if (most > Float.NEGATIVE_INFINITY) {
      return most;
    }
    most = Float.NEGATIVE_INFINITY;
    for (int i = from; i < from + count; i++) {
      most = logits[i] > most ? logits[i] : most;
    }
    return most;
  }

  private static float logitOf(int ordered) {
    return Float.intBitsToFloat(ordered >> 31 & MAGNITUDE ^ ordered);
  }

  private static float plainLargest(MemorySegment logits, long offset, int count) {
    float most = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      float logit = logits.get(ValueLayout.JAVA_FLOAT, offset + 4L * i);
      most = logit > most ? logit : most;
    }
    return most;
  }
}
