package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** The first of the largest logits, in one pass over them where they lie. */
final class LikeliestToken {
  private static final int BLOCK = 1024;

  private LikeliestToken() {}

  /**
   * @return the id, or -1 if no logit is above minus infinity
   */
  static int of(MemorySegment logits, long offset, int count) {
    float most = Float.NEGATIVE_INFINITY;
    int block = -1;
    int whole = Lanes.whole(count);
    for (int from = 0; from < whole; from += BLOCK) {
      float largest = largest(logits, offset + 4L * from, Math.min(BLOCK, whole - from));
      if (largest > most) {
        most = largest;
        block = from;
      }
    }
    for (int id = whole; id < count; id++) {
      float logit = logits.get(ValueLayout.JAVA_FLOAT, offset + 4L * id);
      if (logit > most) {
        most = logit;
        block = id;
      }
    }
    int id = block;
    while (id >= 0 && logits.get(ValueLayout.JAVA_FLOAT, offset + 4L * id) != most) {
      id++;
    }
    return id;
  }

  /** The largest of a run of whole vectors, of which what is no number doesn't count. */
  static float largest(MemorySegment logits, long offset, int count) {
    FloatVector most = FloatVector.broadcast(Lanes.FLOATS, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector next = Lanes.floats(logits, offset + 4L * i);
      most = most.blend(next, next.compare(VectorOperators.GT, most));
    }
    return most.reduceLanes(VectorOperators.MAX);
  }
}
