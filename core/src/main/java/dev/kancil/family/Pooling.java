package dev.kancil.family;

import java.util.OptionalInt;

/** What stands for a sequence of rows. */
public enum Pooling {
  /** The first row, of a token that is there for that. */
  FIRST,
  /** The last row. */
  LAST,
  /** The mean of all rows. */
  MEAN;

  /** Which of so many rows stands for all; empty: they do together. */
  public OptionalInt row(int count) {
    return switch (this) {
      case FIRST -> OptionalInt.of(0);
      case LAST -> OptionalInt.of(count - 1);
      case MEAN -> OptionalInt.empty();
    };
  }

  /** The mean of rows. */
  public static float[] mean(float[][] rows) {
    float[] mean = new float[rows[0].length];
    for (int i = 0; i < mean.length; i++) {
      double sum = 0;
      for (float[] row : rows) {
        sum += row[i];
      }
      mean[i] = (float) (sum / rows.length);
    }
    return mean;
  }
}
