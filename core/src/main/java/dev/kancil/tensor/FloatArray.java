package dev.kancil.tensor;

/**
 * Numbers on the heap, as whoever asked for them gets them.
 *
 * @param shape row-major
 * @param values all of them, which the array does not copy
 */
public record FloatArray(Shape shape, float[] values) {
  public FloatArray {
    if (shape.elements() != values.length) {
      throw new IllegalArgumentException(values.length + " numbers of shape " + shape);
    }
  }

  /** Zeros. */
  public static FloatArray zeros(long... shape) {
    Shape of = Shape.of(shape);
    return new FloatArray(of, new float[Math.toIntExact(of.elements())]);
  }

  /** Rows of equal length, as [1, rows, columns]. */
  public static FloatArray of(float[][] rows) {
    int columns = rows.length == 0 ? 0 : rows[0].length;
    FloatArray array = zeros(1, rows.length, columns);
    for (int row = 0; row < rows.length; row++) {
      System.arraycopy(rows[row], 0, array.values, row * columns, columns);
    }
    return array;
  }
}
