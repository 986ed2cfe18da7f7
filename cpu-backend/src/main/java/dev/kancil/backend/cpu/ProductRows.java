package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Rows of x on the heap, as the Vector API's products take them. Of rows that are multiplied each
 * for itself there are also what {@link TileDots} and {@link TileScales} take: the elements, of
 * which each four are multiplied with 1, 2⁻⁸, 2⁻¹⁶ and 1, and the sum of each 16.
 *
 * <p>Filled before a product's chunks run; the kernels of a program share it, since they run one
 * after the other.
 */
final class ProductRows {
  /** Elements of one sum: the fewest columns that share a minimum or an offset. */
  static final int SUM = 16;

  private static final float[] SHIFTS = new float[LENGTH];

  static {
    for (int i = 0; i < LENGTH; i += 4) {
      SHIFTS[i] = 1;
      SHIFTS[i + 1] = 0x1p-8f;
      SHIFTS[i + 2] = 0x1p-16f;
      SHIFTS[i + 3] = 1;
    }
  }

  private float[] x = new float[0];
  private float[] shifted = new float[0];
  private float[] sums = new float[0];
  private int stride;

  /**
   * Makes room.
   *
   * @param mostRows in all
   * @param fewRows of which what single products take is there, too
   */
  void reserve(int mostRows, int fewRows, int mostColumns) {
    long row = Scratch.padded(mostColumns);
    // Products of many rows take them eight at a time.
    x = atLeast(x, (mostRows + PackedTiles.ROWS - 1L) * row);
    shifted = atLeast(shifted, fewRows * row);
    sums = atLeast(sums, fewRows * row / SUM);
  }

  private static float[] atLeast(float[] array, long size) {
    return array.length < size ? new float[Math.toIntExact(size)] : array;
  }

  /** Forgets all rows for others of so many columns. */
  void begin(int columns) {
    stride = Scratch.padded(columns);
  }

  /** Takes a row that begins at byte {@code at}. */
  void put(int row, MemorySegment source, long at, int columns) {
    MemorySegment.copy(source, ValueLayout.JAVA_FLOAT, at, x, row * stride, columns);
  }

  /** Makes what single products take of a row, as {@code few}'s. */
  void shift(int row, int few) {
    shift(x, row * stride, stride, shifted, few * stride);
    sum(x, row * stride, stride / SUM, sums, few * stride / SUM);
  }

  private static void shift(float[] x, int at, int count, float[] shifted, int to) {
    FloatVector shifts = FloatVector.fromArray(FLOATS, SHIFTS, 0);
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, at + i).mul(shifts).intoArray(shifted, to + i);
    }
  }

  private static void sum(float[] x, int at, int count, float[] sums, int to) {
    for (int i = 0; i < count; i++) {
      int from = at + i * SUM;
      float s0 = 0;
      float s1 = 0;
      float s2 = 0;
      float s3 = 0;
      for (int j = from; j < from + SUM; j += 4) {
        s0 += x[j];
        s1 += x[j + 1];
        s2 += x[j + 2];
        s3 += x[j + 3];
      }
      sums[to + i] = s0 + s1 + (s2 + s3);
    }
  }

  float[] x() {
    return x;
  }

  float[] shifted() {
    return shifted;
  }

  float[] sums() {
    return sums;
  }

  /** From one row to the next, of elements and of shifted ones. */
  int stride() {
    return stride;
  }
}
