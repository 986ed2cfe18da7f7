package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.graph.op.Sample;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The weights of {@link Sample}, bit by bit the same for a single logit and for a run of them.
 * Loops over arrays, as {@link VectorMath} says why, and without masks, which C2 leaves on the heap
 * at times; runs are multiples of the vector length.
 */
final class SampleWeights {
  // Adding and taking off 1.5 · 2^23 rounds to the nearest integer, halves to the even one.
  private static final float ROUND = 0x1.8p23f;
  // Weights of -40 and less are rounded down to 0.
  private static final float LEAST = -42;
  // As many as the last bits of any p, which is above 1/2 and below 2, need. With the six of the
  // shift they fill an integer, in which a weight comes out of the vectors.
  private static final int FRACTION_BITS = 24;
  private static final float FRACTION = 0x1p24f;
  private static final float C6 = Sample.EXP2.get(0);
  private static final float C5 = Sample.EXP2.get(1);
  private static final float C4 = Sample.EXP2.get(2);
  private static final float C3 = Sample.EXP2.get(3);
  private static final float C2 = Sample.EXP2.get(4);
  private static final float C1 = Sample.EXP2.get(5);
  private static final float C0 = Sample.EXP2.get(6);

  private SampleWeights() {}

  static long of(float logit, float most, float scale) {
    float y = logit == most ? 0 : (logit - most) * scale;
    if (!(y >= LEAST)) {
      return 0;
    }
    float n = y + ROUND - ROUND;
    float f = y - n;
    float p = (((((C6 * f + C5) * f + C4) * f + C3) * f + C2) * f + C1) * f + C0;
    return unpacked((int) (p * FRACTION) << 6 | (int) -n);
  }

  private static long unpacked(int packed) {
    return (long) (packed >>> 6) << Sample.WEIGHT_BITS - FRACTION_BITS >> (packed & 63);
  }

  /**
   * The weights of a run, to {@code weights} from 0 on.
   *
   * @param room as many integers, which are overwritten
   */
  static void of(
      float[] x, int from, int count, float most, float scale, int[] room, long[] weights) {
    if (most == Float.POSITIVE_INFINITY) {
      for (int i = 0; i < count; i++) {
        weights[i] = of(x[from + i], most, scale);
      }
      return;
    }
    pack(x, from, count, most, scale, room);
    for (int i = 0; i < count; i++) {
      weights[i] = unpacked(room[i]);
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
