package dev.kancil.conformance;

import java.util.List;
import java.util.Map;

/** How far results are from what they should be. */
final class Errors {
  private Errors() {}

  /** The largest error among the outputs; NaN if a number is missing. */
  static double worst(Map<String, List<float[]>> expected, Map<String, List<float[]>> actual) {
    double worst = 0;
    for (Map.Entry<String, List<float[]>> output : expected.entrySet()) {
      List<float[]> found = actual.get(output.getKey());
      if (found == null || found.size() != output.getValue().size()) {
        return Double.NaN;
      }
      worst = Math.max(worst, normalised(output.getValue(), found));
    }
    return worst;
  }

  /**
   * The sum of squared differences over the sum of squares: 0 is exact, 1 is as bad as zeros. Where
   * all should be zero, the plain sum of squares.
   */
  private static double normalised(List<float[]> expected, List<float[]> actual) {
    double differences = 0;
    double squares = 0;
    for (int step = 0; step < expected.size(); step++) {
      float[] right = expected.get(step);
      float[] found = actual.get(step);
      if (right.length != found.length) {
        return Double.NaN;
      }
      for (int i = 0; i < right.length; i++) {
        double difference = (double) found[i] - right[i];
        differences += difference * difference;
        squares += (double) right[i] * right[i];
      }
    }
    return squares == 0 ? differences : differences / squares;
  }
}
