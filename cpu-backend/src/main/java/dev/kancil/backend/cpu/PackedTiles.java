package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import jdk.incubator.vector.FloatVector;

/**
 * Products of many rows of x with some rows of a weight, as float32, of which those of a column lie
 * beside each other: {@code y[t][r] += Σₖ x[t][k] · panel[k][r]}. The lanes are r, so that no sum
 * runs over lanes, each element of x is broadcast from memory, and a tile of 8 × 2 vectors does 16
 * multiply-adds for 10 loads.
 *
 * <p>Invariants: the panel has {@link #WIDTH} floats for each k; there are {@link #ROWS} rows of x
 * to each tile, of which the last ones may be any; the order of summation is k's, whatever the
 * tile.
 */
final class PackedTiles {
  /** Rows of the weight: two vectors. */
  static final int WIDTH = 2 * LENGTH;

  /** Rows of x of a tile; half as many where only 16 registers hold its sums. */
  static final int ROWS = 8;

  private PackedTiles() {}

  /**
   * Adds products of {@code rows} rows of x with {@code depth} elements each to {@code y}.
   *
   * @param at of the first row's first element
   * @param stride from one row of x to the next
   * @param columns how many of the {@link #WIDTH} are wanted; the others may stay as they are
   * @param y has {@link #WIDTH} floats for each row of x, and for as many as make a tile of the
   *     last
   */
  static void multiply(
      float[] x, int at, int stride, int rows, float[] panel, int depth, int columns, float[] y) {
    for (int t = 0; t < rows; t += ROWS) {
      int row = at + t * stride;
      int out = t * WIDTH;
      if (columns <= LENGTH) {
        eightByOne(x, row, stride, panel, depth, y, out);
      } else if (Lanes.MANY_REGISTERS) {
        eightByTwo(x, row, stride, panel, depth, y, out);
      } else {
        fourByTwo(x, row, stride, panel, depth, y, out);
        fourByTwo(x, row + 4 * stride, stride, panel, depth, y, out + 4 * WIDTH);
      }
    }
  }

  private static void eightByOne(
      float[] x, int row, int stride, float[] panel, int depth, float[] y, int to) {
    FloatVector s0 = FloatVector.fromArray(FLOATS, y, to);
    FloatVector s1 = FloatVector.fromArray(FLOATS, y, to + WIDTH);
    FloatVector s2 = FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH);
    FloatVector s3 = FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH);
    FloatVector s4 = FloatVector.fromArray(FLOATS, y, to + 4 * WIDTH);
    FloatVector s5 = FloatVector.fromArray(FLOATS, y, to + 5 * WIDTH);
    FloatVector s6 = FloatVector.fromArray(FLOATS, y, to + 6 * WIDTH);
    FloatVector s7 = FloatVector.fromArray(FLOATS, y, to + 7 * WIDTH);
    for (int k = 0; k < depth; k++) {
      FloatVector a = FloatVector.fromArray(FLOATS, panel, k * WIDTH);
      int i = row + k;
      s0 = a.fma(Lanes.all(x[i]), s0);
      s1 = a.fma(Lanes.all(x[i + stride]), s1);
      s2 = a.fma(Lanes.all(x[i + 2 * stride]), s2);
      s3 = a.fma(Lanes.all(x[i + 3 * stride]), s3);
      s4 = a.fma(Lanes.all(x[i + 4 * stride]), s4);
      s5 = a.fma(Lanes.all(x[i + 5 * stride]), s5);
      s6 = a.fma(Lanes.all(x[i + 6 * stride]), s6);
      s7 = a.fma(Lanes.all(x[i + 7 * stride]), s7);
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
      float[] x, int row, int stride, float[] panel, int depth, float[] y, int to) {
    FloatVector s0 = FloatVector.fromArray(FLOATS, y, to);
    FloatVector t0 = FloatVector.fromArray(FLOATS, y, to + LENGTH);
    FloatVector s1 = FloatVector.fromArray(FLOATS, y, to + WIDTH);
    FloatVector t1 = FloatVector.fromArray(FLOATS, y, to + WIDTH + LENGTH);
    FloatVector s2 = FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH);
    FloatVector t2 = FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH + LENGTH);
    FloatVector s3 = FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH);
    FloatVector t3 = FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH + LENGTH);
    for (int k = 0; k < depth; k++) {
      FloatVector a = FloatVector.fromArray(FLOATS, panel, k * WIDTH);
      FloatVector b = FloatVector.fromArray(FLOATS, panel, k * WIDTH + LENGTH);
      int i = row + k;
      FloatVector v = Lanes.all(x[i]);
      s0 = a.fma(v, s0);
      t0 = b.fma(v, t0);
      v = Lanes.all(x[i + stride]);
      s1 = a.fma(v, s1);
      t1 = b.fma(v, t1);
      v = Lanes.all(x[i + 2 * stride]);
      s2 = a.fma(v, s2);
      t2 = b.fma(v, t2);
      v = Lanes.all(x[i + 3 * stride]);
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
      float[] x, int row, int stride, float[] panel, int depth, float[] y, int to) {
    FloatVector s0 = FloatVector.fromArray(FLOATS, y, to);
    FloatVector t0 = FloatVector.fromArray(FLOATS, y, to + LENGTH);
    FloatVector s1 = FloatVector.fromArray(FLOATS, y, to + WIDTH);
    FloatVector t1 = FloatVector.fromArray(FLOATS, y, to + WIDTH + LENGTH);
    FloatVector s2 = FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH);
    FloatVector t2 = FloatVector.fromArray(FLOATS, y, to + 2 * WIDTH + LENGTH);
    FloatVector s3 = FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH);
    FloatVector t3 = FloatVector.fromArray(FLOATS, y, to + 3 * WIDTH + LENGTH);
    FloatVector s4 = FloatVector.fromArray(FLOATS, y, to + 4 * WIDTH);
    FloatVector t4 = FloatVector.fromArray(FLOATS, y, to + 4 * WIDTH + LENGTH);
    FloatVector s5 = FloatVector.fromArray(FLOATS, y, to + 5 * WIDTH);
    FloatVector t5 = FloatVector.fromArray(FLOATS, y, to + 5 * WIDTH + LENGTH);
    FloatVector s6 = FloatVector.fromArray(FLOATS, y, to + 6 * WIDTH);
    FloatVector t6 = FloatVector.fromArray(FLOATS, y, to + 6 * WIDTH + LENGTH);
    FloatVector s7 = FloatVector.fromArray(FLOATS, y, to + 7 * WIDTH);
    FloatVector t7 = FloatVector.fromArray(FLOATS, y, to + 7 * WIDTH + LENGTH);
    for (int k = 0; k < depth; k++) {
      FloatVector a = FloatVector.fromArray(FLOATS, panel, k * WIDTH);
      FloatVector b = FloatVector.fromArray(FLOATS, panel, k * WIDTH + LENGTH);
      int i = row + k;
      FloatVector v = Lanes.all(x[i]);
      s0 = a.fma(v, s0);
      t0 = b.fma(v, t0);
      v = Lanes.all(x[i + stride]);
      s1 = a.fma(v, s1);
      t1 = b.fma(v, t1);
      v = Lanes.all(x[i + 2 * stride]);
      s2 = a.fma(v, s2);
      t2 = b.fma(v, t2);
      v = Lanes.all(x[i + 3 * stride]);
      s3 = a.fma(v, s3);
      t3 = b.fma(v, t3);
      v = Lanes.all(x[i + 4 * stride]);
      s4 = a.fma(v, s4);
      t4 = b.fma(v, t4);
      v = Lanes.all(x[i + 5 * stride]);
      s5 = a.fma(v, s5);
      t5 = b.fma(v, t5);
      v = Lanes.all(x[i + 6 * stride]);
      s6 = a.fma(v, s6);
      t6 = b.fma(v, t6);
      v = Lanes.all(x[i + 7 * stride]);
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
