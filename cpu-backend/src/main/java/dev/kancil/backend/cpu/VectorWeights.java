package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.SampleWeights.C0;
import static dev.kancil.backend.cpu.SampleWeights.C1;
import static dev.kancil.backend.cpu.SampleWeights.C2;
import static dev.kancil.backend.cpu.SampleWeights.C3;
import static dev.kancil.backend.cpu.SampleWeights.C4;
import static dev.kancil.backend.cpu.SampleWeights.C5;
import static dev.kancil.backend.cpu.SampleWeights.C6;
import static dev.kancil.backend.cpu.SampleWeights.FRACTION;
import static dev.kancil.backend.cpu.SampleWeights.LEAST;
import static dev.kancil.backend.cpu.SampleWeights.ROUND;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * {@link SampleWeights} of runs, which are multiples of the vector length. Loops over arrays, as
 * {@link VectorMath} says why, and without masks, which C2 leaves on the heap at times.
 */
final class VectorWeights {
  private VectorWeights() {}

  /**
   * The weights of a run, to {@code weights} from 0 on.
   *
   * @param room as many integers, which are overwritten
   */
  static void of(
      float[] x, int from, int count, float most, float scale, int[] room, long[] weights) {
    if (most == Float.POSITIVE_INFINITY) {
      for (int i = 0; i < count; i++) {
        weights[i] = SampleWeights.of(x[from + i], most, scale);
      }
      return;
    }
    pack(x, from, count, most, scale, room);
    for (int i = 0; i < count; i++) {
      weights[i] = SampleWeights.unpacked(room[i]);
    }
  }

  /** What is no number becomes 0 when it is converted, and so its weight. */
  private static void pack(float[] x, int from, int count, float most, float scale, int[] packed) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector y = FloatVector.fromArray(FLOATS, x, from + i).sub(most).mul(scale).max(LEAST);
      FloatVector n = y.add(ROUND).sub(ROUND);
      FloatVector f = y.sub(n);
      FloatVector p = f.mul(C6).add(C5);
      p = p.mul(f).add(C4);
      p = p.mul(f).add(C3);
      p = p.mul(f).add(C2);
      p = p.mul(f).add(C1);
      p = p.mul(f).add(C0);
      IntVector fraction = (IntVector) p.mul(FRACTION).convert(VectorOperators.F2I, 0);
      IntVector right = (IntVector) n.neg().convert(VectorOperators.F2I, 0);
      fraction.lanewise(VectorOperators.LSHL, 6).or(right).intoArray(packed, i);
    }
  }
}
