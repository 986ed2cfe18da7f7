package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import dev.kancil.graph.op.RotaryEmbedding;
import java.lang.foreign.Arena;
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
  // Row by row its cosines, then its sines.
  private final MemorySegment table;

  RopeAngles(RotaryEmbedding rotary, float[] factors, int maxRows) {
    anglePerPosition = rotary.anglePerPosition(factors.length == 0 ? null : factors);
    magnitude = rotary.magnitude();
    table = NativeMemory.allocate(maxRows * rowBytes(), Arena.ofAuto(), "rotary angles");
  }

  /** Pairs of columns that are turned in each head. */
  int pairs() {
    return anglePerPosition.length;
  }

  long rowBytes() {
    return 8L * pairs();
  }

  MemorySegment table() {
    return table;
  }

  /** Computes the angles of rows {@code from} to {@code to}. */
  void fill(MemorySegment positions, int from, int to) {
    int pairs = pairs();
    for (int row = from; row < to; row++) {
      double position = positions.getAtIndex(ValueLayout.JAVA_INT, row);
      long first = 2L * row * pairs;
      for (int i = 0; i < pairs; i++) {
        double angle = position * anglePerPosition[i];
        float cosine = (float) (magnitude * Math.cos(angle));
        float sine = (float) (magnitude * Math.sin(angle));
        table.setAtIndex(ValueLayout.JAVA_FLOAT, first + i, cosine);
        table.setAtIndex(ValueLayout.JAVA_FLOAT, first + pairs + i, sine);
      }
    }
  }
}
