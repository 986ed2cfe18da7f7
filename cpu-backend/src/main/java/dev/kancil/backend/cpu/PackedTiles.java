package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import jdk.incubator.vector.FloatVector;

/**
 * Products of a panel's rows with many columns that lie beside each other: {@code y[p][t] = Σₖ
 * panel[p][k] · packed[k][t]}. The lanes are t, so that no sum runs over lanes, each element of the
 * panel is broadcast from memory, and a tile of 8 × 2 vectors does 16 multiply-adds for 10 loads.
 *
 * <p>Used for weights times tokens and for keys times queries, t being the token or the query, and
 * with the panel read down its columns for values times weights of keys.
 *
 * <p>Invariants: {@code packed} has {@link #WIDTH} floats for each k; panel rows are a multiple of
 * {@link #ROWS}; the order of summation is k's, whatever the tile.
 */
final class PackedTiles {
  /** Columns that lie beside each other: two vectors. */
  static final int WIDTH = 2 * LENGTH;

  /** Panel rows of a tile; half as many where only 16 registers hold its sums. */
  static final int ROWS = 8;

  private PackedTiles() {}

  /**
   * Products of {@code rows} panel rows with {@code depth} elements each.
   *
   * @param rowStride from one panel row to the next
   * @param stride from one element of a panel row to the next
   * @param columns how many of the {@link #WIDTH} are wanted; the others may stay as they are
   * @param add whether the products are added to y
   */
  static void multiply(
      float[] panel,
      int rowStride,
      int stride,
      int rows,
      float[] packed,
      int from,
      int depth,
      int columns,
      float[] y,
      int to,
      boolean add) {
    for (int p = 0; p < rows; p += ROWS) {
      int w = p * rowStride;
      int out = to + p * WIDTH;
      if (columns <= LENGTH) {
        eightByOne(panel, w, rowStride, stride, packed, from, depth, y, out, add);
      } else if (Lanes.MANY_REGISTERS) {
        eightByTwo(panel, w, rowStride, stride, packed, from, depth, y, out, add);
      } else {
        fourByTwo(panel, w, rowStride, stride, packed, from, depth, y, out, add);
        int half = w + 4 * rowStride;
        fourByTwo(panel, half, rowStride, stride, packed, from, depth, y, out + 4 * WIDTH, add);
      }
    }
  }

  private static FloatVector start(float[] y, int at, boolean add) {
    return add ? FloatVector.fromArray(FLOATS, y, at) : FloatVector.zero(FLOATS);
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }

  private static void eightByOne(
      float[] panel,
      int w,
      int rowStride,
      int stride,
      float[] packed,
      int from,
      int depth,
      float[] y,
      int to,
      boolean add) {
    FloatVector s0 = start(y, to, add);
    FloatVector s1 = start(y, to + WIDTH, add);
    FloatVector s2 = start(y, to + 2 * WIDTH, add);
    FloatVector s3 = start(y, to + 3 * WIDTH, add);
    FloatVector s4 = start(y, to + 4 * WIDTH, add);
    FloatVector s5 = start(y, to + 5 * WIDTH, add);
    FloatVector s6 = start(y, to + 6 * WIDTH, add);
    FloatVector s7 = start(y, to + 7 * WIDTH, add);
    for (int k = 0; k < depth; k++) {
      FloatVector a = FloatVector.fromArray(FLOATS, packed, from + k * WIDTH);
      int i = w + k * stride;
      s0 = a.fma(all(panel[i]), s0);
      s1 = a.fma(all(panel[i + rowStride]), s1);
      s2 = a.fma(all(panel[i + 2 * rowStride]), s2);
      s3 = a.fma(all(panel[i + 3 * rowStride]), s3);
      s4 = a.fma(all(panel[i + 4 * rowStride]), s4);
      s5 = a.fma(all(panel[i + 5 * rowStride]), s5);
      s6 = a.fma(all(panel[i + 6 * rowStride]), s6);
      s7 = a.fma(all(panel[i + 7 * rowStride]), s7);
    }
    s0.intoArray(y, to);
    s1.intoArray(y, to + WIDTH);
    s2.intoArray(y, to + 2 * WIDTH);
    s3.intoArray(y, to + 3 * WIDTH);
    s4.intoArray(y, to + 4 * WIDTH);
    s5.intoArray(y, to + 5 * WIDTH);
    s6.intoArray(y, to + 6 * WIDTH);
    s7.intoArray(y, to + 7 * WIDTH);
  }

  private static void fourByTwo(
      float[] panel,
      int w,
      int rowStride,
      int stride,
      float[] packed,
      int from,
      int depth,
      float[] y,
      int to,
      boolean add) {
    FloatVector s0 = start(y, to, add);
    FloatVector t0 = start(y, to + LENGTH, add);
    FloatVector s1 = start(y, to + WIDTH, add);
    FloatVector t1 = start(y, to + WIDTH + LENGTH, add);
    FloatVector s2 = start(y, to + 2 * WIDTH, add);
    FloatVector t2 = start(y, to + 2 * WIDTH + LENGTH, add);
    FloatVector s3 = start(y, to + 3 * WIDTH, add);
    FloatVector t3 = start(y, to + 3 * WIDTH + LENGTH, add);
    for (int k = 0; k < depth; k++) {
      FloatVector a = FloatVector.fromArray(FLOATS, packed, from + k * WIDTH);
      FloatVector b = FloatVector.fromArray(FLOATS, packed, from + k * WIDTH + LENGTH);
      int i = w + k * stride;
      FloatVector v = all(panel[i]);
      s0 = a.fma(v, s0);
      t0 = b.fma(v, t0);
      v = all(panel[i + rowStride]);
      s1 = a.fma(v, s1);
      t1 = b.fma(v, t1);
      v = all(panel[i + 2 * rowStride]);
      s2 = a.fma(v, s2);
      t2 = b.fma(v, t2);
      v = all(panel[i + 3 * rowStride]);
      s3 = a.fma(v, s3);
      t3 = b.fma(v, t3);
    }
    s0.intoArray(y, to);
    t0.intoArray(y, to + LENGTH);
    s1.intoArray(y, to + WIDTH);
    t1.intoArray(y, to + WIDTH + LENGTH);
    s2.intoArray(y, to + 2 * WIDTH);
    t2.intoArray(y, to + 2 * WIDTH + LENGTH);
    s3.intoArray(y, to + 3 * WIDTH);
    t3.intoArray(y, to + 3 * WIDTH + LENGTH);
  }

  private static void eightByTwo(
      float[] panel,
      int w,
      int rowStride,
      int stride,
      float[] packed,
      int from,
      int depth,
      float[] y,
      int to,
      boolean add) {
    FloatVector s0 = start(y, to, add);
    FloatVector t0 = start(y, to + LENGTH, add);
    FloatVector s1 = start(y, to + WIDTH, add);
    FloatVector t1 = start(y, to + WIDTH + LENGTH, add);
    FloatVector s2 = start(y, to + 2 * WIDTH, add);
    FloatVector t2 = start(y, to + 2 * WIDTH + LENGTH, add);
    FloatVector s3 = start(y, to + 3 * WIDTH, add);
    FloatVector t3 = start(y, to + 3 * WIDTH + LENGTH, add);
    FloatVector s4 = start(y, to + 4 * WIDTH, add);
    FloatVector t4 = start(y, to + 4 * WIDTH + LENGTH, add);
    FloatVector s5 = start(y, to + 5 * WIDTH, add);
    FloatVector t5 = start(y, to + 5 * WIDTH + LENGTH, add);
    FloatVector s6 = start(y, to + 6 * WIDTH, add);
    FloatVector t6 = start(y, to + 6 * WIDTH + LENGTH, add);
    FloatVector s7 = start(y, to + 7 * WIDTH, add);
    FloatVector t7 = start(y, to + 7 * WIDTH + LENGTH, add);
    for (int k = 0; k < depth; k++) {
      FloatVector a = FloatVector.fromArray(FLOATS, packed, from + k * WIDTH);
      FloatVector b = FloatVector.fromArray(FLOATS, packed, from + k * WIDTH + LENGTH);
      int i = w + k * stride;
      FloatVector v = all(panel[i]);
      s0 = a.fma(v, s0);
      t0 = b.fma(v, t0);
      v = all(panel[i + rowStride]);
      s1 = a.fma(v, s1);
      t1 = b.fma(v, t1);
      v = all(panel[i + 2 * rowStride]);
      s2 = a.fma(v, s2);
      t2 = b.fma(v, t2);
      v = all(panel[i + 3 * rowStride]);
      s3 = a.fma(v, s3);
      t3 = b.fma(v, t3);
      v = all(panel[i + 4 * rowStride]);
      s4 = a.fma(v, s4);
      t4 = b.fma(v, t4);
      v = all(panel[i + 5 * rowStride]);
      s5 = a.fma(v, s5);
      t5 = b.fma(v, t5);
      v = all(panel[i + 6 * rowStride]);
      s6 = a.fma(v, s6);
      t6 = b.fma(v, t6);
      v = all(panel[i + 7 * rowStride]);
      s7 = a.fma(v, s7);
      t7 = b.fma(v, t7);
    }
    s0.intoArray(y, to);
    t0.intoArray(y, to + LENGTH);
    s1.intoArray(y, to + WIDTH);
    t1.intoArray(y, to + WIDTH + LENGTH);
    s2.intoArray(y, to + 2 * WIDTH);
    t2.intoArray(y, to + 2 * WIDTH + LENGTH);
    s3.intoArray(y, to + 3 * WIDTH);
    t3.intoArray(y, to + 3 * WIDTH + LENGTH);
    s4.intoArray(y, to + 4 * WIDTH);
    t4.intoArray(y, to + 4 * WIDTH + LENGTH);
    s5.intoArray(y, to + 5 * WIDTH);
    t5.intoArray(y, to + 5 * WIDTH + LENGTH);
    s6.intoArray(y, to + 6 * WIDTH);
    t6.intoArray(y, to + 6 * WIDTH + LENGTH);
    s7.intoArray(y, to + 7 * WIDTH);
    t7.intoArray(y, to + 7 * WIDTH + LENGTH);
  }
}
