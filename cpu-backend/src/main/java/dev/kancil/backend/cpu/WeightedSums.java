package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import jdk.incubator.vector.FloatVector;

/**
 * Adds a page's values, each with a query's weight for it, to the queries' sums; in tiles of four
 * queries by one vector of columns, whose sums stay in registers over the page's keys.
 *
 * <p>Invariant: {@code stride} is a multiple of the vector length. Lanes behind the last column are
 * computed from whatever is there, and nobody reads them.
 */
final class WeightedSums {
  private WeightedSums() {}

  /**
   * {@code sums[from + r · stride + c] += Σ weights[r · TOKENS + k] · values[k · stride + c]}.
   *
   * @param keys how many the page has
   * @param count how many queries
   */
  static void add(
      float[] weights, float[] values, int stride, int keys, float[] sums, int from, int count) {
    int r = 0;
    for (; r <= count - 4; r += 4) {
      four(weights, r * Pages.TOKENS, values, stride, keys, sums, from + r * stride);
    }
    for (; r < count; r++) {
      one(weights, r * Pages.TOKENS, values, stride, keys, sums, from + r * stride);
    }
  }

  private static void four(
      float[] weights, int w, float[] values, int stride, int keys, float[] sums, int to) {
    for (int c = 0; c < stride; c += LENGTH) {
      FloatVector s0 = FloatVector.fromArray(FLOATS, sums, to + c);
      FloatVector s1 = FloatVector.fromArray(FLOATS, sums, to + stride + c);
      FloatVector s2 = FloatVector.fromArray(FLOATS, sums, to + 2 * stride + c);
      FloatVector s3 = FloatVector.fromArray(FLOATS, sums, to + 3 * stride + c);
      for (int k = 0; k < keys; k++) {
        FloatVector v = FloatVector.fromArray(FLOATS, values, k * stride + c);
        s0 = v.fma(FloatVector.broadcast(FLOATS, weights[w + k]), s0);
        s1 = v.fma(FloatVector.broadcast(FLOATS, weights[w + Pages.TOKENS + k]), s1);
        s2 = v.fma(FloatVector.broadcast(FLOATS, weights[w + 2 * Pages.TOKENS + k]), s2);
        s3 = v.fma(FloatVector.broadcast(FLOATS, weights[w + 3 * Pages.TOKENS + k]), s3);
      }
      s0.intoArray(sums, to + c);
      s1.intoArray(sums, to + stride + c);
      s2.intoArray(sums, to + 2 * stride + c);
      s3.intoArray(sums, to + 3 * stride + c);
    }
  }

  private static void one(
      float[] weights, int w, float[] values, int stride, int keys, float[] sums, int to) {
    for (int c = 0; c < stride; c += LENGTH) {
      FloatVector s = FloatVector.fromArray(FLOATS, sums, to + c);
      for (int k = 0; k < keys; k++) {
        FloatVector v = FloatVector.fromArray(FLOATS, values, k * stride + c);
        s = v.fma(FloatVector.broadcast(FLOATS, weights[w + k]), s);
      }
      s.intoArray(sums, to + c);
    }
  }
}
