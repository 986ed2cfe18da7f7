package dev.kancil.family;

/** What stands for a sequence of rows. */
public enum Pooling {
  /** The first row, of a token that is there for that. */
  FIRST,
  /** The last row. */
  LAST,
  /** The mean of all rows. */
  MEAN;

  /** One row of many. */
  public float[] of(float[][] rows) {
    return switch (this) {
      case FIRST -> rows[0];
      case LAST -> rows[rows.length - 1];
      case MEAN -> mean(rows);
    };
  }

  private static float[] mean(float[][] rows) {
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
