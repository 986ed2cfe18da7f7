package dev.kancil.backend.cpu;

import dev.kancil.graph.op.RotaryEmbedding;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Cosines and sines for the rows of a step, which all layers with the same rotary settings share.
 * The first of their nodes fills the table, the others, which run later in the step, read it.
 * Angles are computed in double precision, since float32 loses a position of 10⁵ to rounding.
 */
final class RopeAngles {
  private final double[] anglePerPosition;
  private final double magnitude;
  private final float[] cosines;
  private final float[] sines;

  RopeAngles(RotaryEmbedding rotary, float[] factors, int maxRows) {
    anglePerPosition = rotary.anglePerPosition(factors.length == 0 ? null : factors);
    magnitude = rotary.magnitude();
    int size = Math.multiplyExact(maxRows, anglePerPosition.length);
    cosines = new float[size];
    sines = new float[size];
  }

  /** Pairs of columns that are turned in each head. */
  int pairs() {
    return anglePerPosition.length;
  }

  /** Computes the angles of rows {@code from} to {@code to}. */
  void fill(MemorySegment positions, int from, int to) {
    int pairs = pairs();
    for (int row = from; row < to; row++) {
      double position = positions.getAtIndex(ValueLayout.JAVA_INT, row);
      for (int i = 0; i < pairs; i++) {
        double angle = position * anglePerPosition[i];
        cosines[row * pairs + i] = (float) (magnitude * Math.cos(angle));
        sines[row * pairs + i] = (float) (magnitude * Math.sin(angle));
      }
    }
  }

  float[] cosines() {
    return cosines;
  }

  float[] sines() {
    return sines;
  }
}
