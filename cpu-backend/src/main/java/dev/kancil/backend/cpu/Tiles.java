package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Dot products of every row of x with every row of a panel, in tiles whose sums stay in registers:
 * a tile of 4 × 4 does 16 multiply-adds for 8 loads.
 *
 * <p>Invariants: the panel has a multiple of four rows (what the caller does not want of the last
 * four is computed and ignored); {@code stride} is at least {@code columns}; sums run over the
 * lanes in order of columns, then over the lanes, then over the columns that fill no vector, which
 * is the same for every tile shape.
 */
final class Tiles {
  private static final int PANEL_ROWS = 4;

  private Tiles() {}

  /** Panel rows that hold {@code rows}. */
  static int panelRows(int rows) {
    return (rows + PANEL_ROWS - 1) & -PANEL_ROWS;
  }

  /**
   * {@code y[r · yStride + p] = x[r] · panel[p]}.
   *
   * @param x rows of float32 in native order
   * @param at of the first row, in bytes
   * @param rowBytes from one row to the next
   * @param stride from one panel row to the next, in floats
   */
  static void multiply(
      MemorySegment x,
      long at,
      long rowBytes,
      int rows,
      float[] panel,
      int stride,
      int panelRows,
      int columns,
      float[] y,
      int yStride) {
    for (int p = 0; p < panelRows; p += PANEL_ROWS) {
      int w = p * stride;
      int r = 0;
      if (Lanes.MANY_REGISTERS) {
        for (; r <= rows - 4; r += 4) {
          four(
              x,
              at + r * rowBytes,
              rowBytes,
              panel,
              w,
              stride,
              columns,
              y,
              r * yStride + p,
              yStride);
        }
      }
      for (; r <= rows - 2; r += 2) {
        two(x, at + r * rowBytes, rowBytes, panel, w, stride, columns, y, r * yStride + p, yStride);
      }
      if (r < rows) {
        one(x, at + r * rowBytes, panel, w, stride, columns, y, r * yStride + p);
      }
    }
    if (Lanes.whole(columns) < columns) {
      for (int r = 0; r < rows; r++) {
        addRest(x, at + r * rowBytes, panel, stride, panelRows, columns, y, r * yStride);
      }
    }
  }

  private static void addRest(
      MemorySegment x,
      long at,
      float[] panel,
      int stride,
      int panelRows,
      int columns,
      float[] y,
      int to) {
    for (int p = 0; p < panelRows; p++) {
      float sum = y[to + p];
      for (int k = Lanes.whole(columns); k < columns; k++) {
        sum = Math.fma(x.get(ValueLayout.JAVA_FLOAT, at + 4L * k), panel[p * stride + k], sum);
      }
      y[to + p] = sum;
    }
  }

  private static float sum(FloatVector lanes) {
    return Lanes.sum(lanes);
  }

  private static void one(
      MemorySegment x, long at, float[] w, int from, int stride, int columns, float[] y, int to) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int whole = Lanes.whole(columns);
    for (int k = 0; k < whole; k += LENGTH) {
      FloatVector a = Lanes.floats(x, at + 4L * k);
      s0 = a.fma(FloatVector.fromArray(FLOATS, w, from + k), s0);
      s1 = a.fma(FloatVector.fromArray(FLOATS, w, from + stride + k), s1);
      s2 = a.fma(FloatVector.fromArray(FLOATS, w, from + 2 * stride + k), s2);
      s3 = a.fma(FloatVector.fromArray(FLOATS, w, from + 3 * stride + k), s3);
    }
    y[to] = sum(s0);
    y[to + 1] = sum(s1);
    y[to + 2] = sum(s2);
    y[to + 3] = sum(s3);
  }

  private static void two(
      MemorySegment x,
      long at,
      long rowBytes,
      float[] w,
      int from,
      int stride,
      int columns,
      float[] y,
      int to,
      int yStride) {
    FloatVector s00 = FloatVector.zero(FLOATS);
    FloatVector s01 = s00;
    FloatVector s02 = s00;
    FloatVector s03 = s00;
    FloatVector s10 = s00;
    FloatVector s11 = s00;
    FloatVector s12 = s00;
    FloatVector s13 = s00;
    int whole = Lanes.whole(columns);
    for (int k = 0; k < whole; k += LENGTH) {
      FloatVector a0 = Lanes.floats(x, at + 4L * k);
      FloatVector a1 = Lanes.floats(x, at + rowBytes + 4L * k);
      FloatVector b0 = FloatVector.fromArray(FLOATS, w, from + k);
      FloatVector b1 = FloatVector.fromArray(FLOATS, w, from + stride + k);
      FloatVector b2 = FloatVector.fromArray(FLOATS, w, from + 2 * stride + k);
      FloatVector b3 = FloatVector.fromArray(FLOATS, w, from + 3 * stride + k);
      s00 = a0.fma(b0, s00);
      s01 = a0.fma(b1, s01);
      s02 = a0.fma(b2, s02);
      s03 = a0.fma(b3, s03);
      s10 = a1.fma(b0, s10);
      s11 = a1.fma(b1, s11);
      s12 = a1.fma(b2, s12);
      s13 = a1.fma(b3, s13);
    }
    y[to] = sum(s00);
    y[to + 1] = sum(s01);
    y[to + 2] = sum(s02);
    y[to + 3] = sum(s03);
    y[to + yStride] = sum(s10);
    y[to + yStride + 1] = sum(s11);
    y[to + yStride + 2] = sum(s12);
    y[to + yStride + 3] = sum(s13);
  }

  private static void four(
      MemorySegment x,
      long at,
      long rowBytes,
      float[] w,
      int from,
      int stride,
      int columns,
      float[] y,
      int to,
      int yStride) {
    FloatVector s00 = FloatVector.zero(FLOATS);
    FloatVector s01 = s00;
    FloatVector s02 = s00;
    FloatVector s03 = s00;
    FloatVector s10 = s00;
    FloatVector s11 = s00;
    FloatVector s12 = s00;
    FloatVector s13 = s00;
    FloatVector s20 = s00;
    FloatVector s21 = s00;
    FloatVector s22 = s00;
    FloatVector s23 = s00;
    FloatVector s30 = s00;
    FloatVector s31 = s00;
    FloatVector s32 = s00;
    FloatVector s33 = s00;
    int whole = Lanes.whole(columns);
    for (int k = 0; k < whole; k += LENGTH) {
      FloatVector a0 = Lanes.floats(x, at + 4L * k);
      FloatVector a1 = Lanes.floats(x, at + rowBytes + 4L * k);
      FloatVector a2 = Lanes.floats(x, at + 2 * rowBytes + 4L * k);
      FloatVector a3 = Lanes.floats(x, at + 3 * rowBytes + 4L * k);
      FloatVector b = FloatVector.fromArray(FLOATS, w, from + k);
      s00 = a0.fma(b, s00);
      s10 = a1.fma(b, s10);
      s20 = a2.fma(b, s20);
      s30 = a3.fma(b, s30);
      b = FloatVector.fromArray(FLOATS, w, from + stride + k);
      s01 = a0.fma(b, s01);
      s11 = a1.fma(b, s11);
      s21 = a2.fma(b, s21);
      s31 = a3.fma(b, s31);
      b = FloatVector.fromArray(FLOATS, w, from + 2 * stride + k);
      s02 = a0.fma(b, s02);
      s12 = a1.fma(b, s12);
      s22 = a2.fma(b, s22);
      s32 = a3.fma(b, s32);
      b = FloatVector.fromArray(FLOATS, w, from + 3 * stride + k);
      s03 = a0.fma(b, s03);
      s13 = a1.fma(b, s13);
      s23 = a2.fma(b, s23);
      s33 = a3.fma(b, s33);
    }
    y[to] = sum(s00);
    y[to + 1] = sum(s01);
    y[to + 2] = sum(s02);
    y[to + 3] = sum(s03);
    y[to + yStride] = sum(s10);
    y[to + yStride + 1] = sum(s11);
    y[to + yStride + 2] = sum(s12);
    y[to + yStride + 3] = sum(s13);
    y[to + 2 * yStride] = sum(s20);
    y[to + 2 * yStride + 1] = sum(s21);
    y[to + 2 * yStride + 2] = sum(s22);
    y[to + 2 * yStride + 3] = sum(s23);
    y[to + 3 * yStride] = sum(s30);
    y[to + 3 * yStride + 1] = sum(s31);
    y[to + 3 * yStride + 2] = sum(s32);
    y[to + 3 * yStride + 3] = sum(s33);
  }
}
