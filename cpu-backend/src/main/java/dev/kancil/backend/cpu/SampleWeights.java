package dev.kancil.backend.cpu;

import dev.kancil.graph.op.Sample;

/**
 * The weight of a logit in {@link Sample}, bit by bit the same as {@link RowKernels} computes for a
 * run of them.
 */
final class SampleWeights {
  // Adding and taking off 1.5 · 2^23 rounds to the nearest integer, halves to the even one.
  static final float ROUND = 0x1.8p23f;
  // Weights of -40 and less are rounded down to 0.
  static final float LEAST = -42;
  // As many as the last bits of any p, which is above 1/2 and below 2, need. With the six of the
  // shift they fill an integer, in which a weight comes out of the vectors.
  static final int FRACTION_BITS = 24;
  static final float FRACTION = 0x1p24f;
  static final float C6 = Sample.EXP2.get(0);
  static final float C5 = Sample.EXP2.get(1);
  static final float C4 = Sample.EXP2.get(2);
  static final float C3 = Sample.EXP2.get(3);
  static final float C2 = Sample.EXP2.get(4);
  static final float C1 = Sample.EXP2.get(5);
  static final float C0 = Sample.EXP2.get(6);

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

  static long unpacked(int packed) {
    return (long) (packed >>> 6) << Sample.WEIGHT_BITS - FRACTION_BITS >> (packed & 63);
  }
}
