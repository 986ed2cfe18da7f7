package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Scales and minimums of some rows of a tile as float32, before the loops over its quants: the
 * {@code i}-th scale's of the rows are {@code scales[i · LENGTH]} and what follows, their minimums
 * as far behind as there is room for scales.
 */
final class TileScales {
  private TileScales() {}

  /** Floats that scales and minimums of so many columns take at most. */
  static int room(int columns) {
    return 2 * minimums(columns);
  }

  /** Where minimums begin. */
  static int minimums(int columns) {
    return columns / ProductRows.SUM * LENGTH;
  }

  /**
   * Unpacks those of some columns.
   *
   * @param at of the tile
   * @param part the first row's number in it
   * @param columns of the tile
   * @param first column, the first of a block, of {@code some}
   */
  static void unpack(
      TileForm form,
      MemorySegment data,
      long at,
      int part,
      int columns,
      int first,
      int some,
      float[] scales) {
    int count = some / form.scaleColumns();
    int minimums = minimums(some);
    long halves = at + 2L * ((long) first / form.halfColumns() * TileForm.ROWS + part);
    long second = halves + form.minimumHalves(columns);
    if (form.isSuper()) {
      int each = form.halfColumns() / form.scaleColumns();
      long bytes = (long) first / form.scaleColumns() * TileForm.ROWS + at + part;
      long scaleBytes = bytes + form.scaleBytes(columns);
      if (form.hasMinimum()) {
        int mask = form.hasPairs() ? 15 : 255;
        unsigned(data, halves, scaleBytes, 0, mask, 1, each, count, scales, 0);
        long minimumBytes = bytes + form.minimumBytes(columns);
        int shift = form.hasPairs() ? 4 : 0;
        unsigned(data, second, minimumBytes, shift, mask, -1, each, count, scales, minimums);
      } else {
        signed(data, halves, scaleBytes, each, count, scales);
      }
    } else {
      if (form.hasPowers()) {
        powers(data, halves, count, scales);
      } else {
        halves(data, halves, count, scales, 0);
      }
      if (form.hasMinimum()) {
        halves(data, second, count, scales, minimums);
      }
    }
    if (!form.hasMinimum() && form.hasOffsets()) {
      scaled(scales, -form.offset(), count, minimums);
    }
  }

  private static void halves(MemorySegment data, long at, int count, float[] to, int from) {
    for (int i = 0; i < count; i++) {
      Lanes.halves(Lanes.patterns(data, at + 2L * TileForm.ROWS * i))
          .intoArray(to, from + i * LENGTH);
    }
  }

  private static void powers(MemorySegment data, long at, int count, float[] to) {
    for (int i = 0; i < count; i++) {
      Lanes.brainFloats(Lanes.patterns(data, at + 2L * TileForm.ROWS * i))
          .intoArray(to, i * LENGTH);
    }
  }

  private static void unsigned(
      MemorySegment data,
      long halves,
      long bytes,
      int shift,
      int mask,
      float sign,
      int each,
      int count,
      float[] to,
      int from) {
    for (int i = 0; i < count; i += each) {
      FloatVector factor =
          Lanes.halves(Lanes.patterns(data, halves + 2L * TileForm.ROWS * (i / each))).mul(sign);
      for (int j = i; j < i + each; j++) {
        IntVector byteOfEach = Lanes.unsigned(data, bytes + (long) TileForm.ROWS * j);
        Lanes.toFloat(byteOfEach.lanewise(VectorOperators.LSHR, shift).and(mask))
            .mul(factor)
            .intoArray(to, from + j * LENGTH);
      }
    }
  }

  private static void signed(
      MemorySegment data, long halves, long bytes, int each, int count, float[] to) {
    for (int i = 0; i < count; i += each) {
      FloatVector factor =
          Lanes.halves(Lanes.patterns(data, halves + 2L * TileForm.ROWS * (i / each)));
      for (int j = i; j < i + each; j++) {
        Lanes.signedFloats(data, bytes + (long) TileForm.ROWS * j)
            .mul(factor)
            .intoArray(to, j * LENGTH);
      }
    }
  }

  private static void scaled(float[] scales, float offset, int count, int minimums) {
    for (int i = 0; i < count * LENGTH; i += LENGTH) {
      FloatVector.fromArray(FLOATS, scales, i).mul(offset).intoArray(scales, minimums + i);
    }
  }

  /**
   * {@code y = Σ minimum · Σ x}, the inner sum over the columns of the minimum.
   *
   * @param sums of each 16 columns of x, from {@code sumsAt} on
   */
  static void offsets(
      TileForm form, float[] scales, int columns, float[] sums, int sumsAt, float[] y, int to) {
    int count = columns / form.scaleColumns();
    int minimums = minimums(columns);
    if (form.scaleColumns() == 32) {
      weighPairs(scales, minimums, count, sums, sumsAt, y, to);
    } else {
      weigh(scales, minimums, count, sums, sumsAt, y, to);
    }
  }

  private static void weigh(
      float[] scales, int minimums, int count, float[] sums, int sumsAt, float[] y, int to) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < count; i++) {
      sum =
          FloatVector.fromArray(FLOATS, scales, minimums + i * LENGTH)
              .fma(Lanes.all(sums[sumsAt + i]), sum);
    }
    sum.intoArray(y, to);
  }

  private static void weighPairs(
      float[] scales, int minimums, int count, float[] sums, int sumsAt, float[] y, int to) {
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < count; i++) {
      float both = sums[sumsAt + 2 * i] + sums[sumsAt + 2 * i + 1];
      sum = FloatVector.fromArray(FLOATS, scales, minimums + i * LENGTH).fma(Lanes.all(both), sum);
    }
    sum.intoArray(y, to);
  }
}
