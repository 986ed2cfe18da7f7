package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.INTS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.Lanes.all;
import static dev.kancil.backend.cpu.Lanes.toFloat;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * A vector of rows of a tile times one row of x: {@code y += Σ scale · Σ q x}. Lanes are rows, so
 * that nothing is summed over lanes, x is broadcast from memory, and a scale is one vector for all
 * rows.
 *
 * <p>Four sums take turns, column by column, so that one product need not wait for the one before
 * it; they are added where a scale ends. A byte of an integer is not shifted down before it becomes
 * a float: where bytes lie above the lowest, x is that much smaller ({@link ProductRows}), which
 * rounds nothing. Only the highest, which would be the sign, is shifted.
 *
 * <p>One loop over all columns, not one in another: what a short loop does before and behind its
 * steps costs as much as they do.
 */
final class TileDots {
  private TileDots() {}

  /**
   * Quants as {@link TileQuants} puts them together.
   *
   * @param x shifted
   * @param scales as {@link TileScales} has them, of which the first is at {@code scalesAt}
   * @param scaleColumns that share a scale: 16 or 32
   * @param count of columns
   */
  static void integers(
      int[] quants,
      float[] x,
      int xAt,
      float[] scales,
      int scalesAt,
      int scaleColumns,
      int count,
      float[] y,
      int to) {
    IntVector first = IntVector.broadcast(INTS, 0xff);
    IntVector second = IntVector.broadcast(INTS, 0xff00);
    IntVector third = IntVector.broadcast(INTS, 0xff0000);
    FloatVector sum = FloatVector.fromArray(FLOATS, y, to);
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int scale = scalesAt;
    for (int c = 0; c < count; c += 8) {
      IntVector q = IntVector.fromArray(INTS, quants, c / 4 * LENGTH);
      int i = xAt + c;
      s0 = toFloat(q.and(first)).fma(all(x[i]), s0);
      s1 = toFloat(q.and(second)).fma(all(x[i + 1]), s1);
      s2 = toFloat(q.and(third)).fma(all(x[i + 2]), s2);
      s3 = toFloat(q.lanewise(VectorOperators.LSHR, 24)).fma(all(x[i + 3]), s3);
      q = IntVector.fromArray(INTS, quants, c / 4 * LENGTH + LENGTH);
      s0 = toFloat(q.and(first)).fma(all(x[i + 4]), s0);
      s1 = toFloat(q.and(second)).fma(all(x[i + 5]), s1);
      s2 = toFloat(q.and(third)).fma(all(x[i + 6]), s2);
      s3 = toFloat(q.lanewise(VectorOperators.LSHR, 24)).fma(all(x[i + 7]), s3);
      if ((c + 8 & scaleColumns - 1) == 0) {
        sum = s0.add(s1).add(s2.add(s3)).fma(FloatVector.fromArray(FLOATS, scales, scale), sum);
        scale += LENGTH;
        s0 = FloatVector.zero(FLOATS);
        s1 = s0;
        s2 = s0;
        s3 = s0;
      }
    }
    sum.intoArray(y, to);
  }

  /**
   * {@link TileForm.Quants#NIBBLES}, straight from the tile, which is four tenths faster than
   * putting them together first.
   *
   * @param at of the quants of the first row
   * @param x shifted
   */
  static void nibbles(
      MemorySegment data,
      long at,
      float[] x,
      int xAt,
      float[] scales,
      int columns,
      float[] y,
      int to) {
    IntVector first = IntVector.broadcast(INTS, 0x0f);
    IntVector second = IntVector.broadcast(INTS, 0x0f00);
    IntVector third = IntVector.broadcast(INTS, 0x0f0000);
    FloatVector sum = FloatVector.fromArray(FLOATS, y, to);
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (int c = 0; c < columns; c += 8) {
      IntVector q = Lanes.integers(data, at + 8L * c);
      int i = xAt + c;
      s0 = toFloat(q.and(first)).fma(all(x[i]), s0);
      s1 = toFloat(q.and(second)).fma(all(x[i + 1]), s1);
      s2 = toFloat(q.and(third)).fma(all(x[i + 2]), s2);
      s3 = toFloat(q.lanewise(VectorOperators.LSHR, 24).and(first)).fma(all(x[i + 3]), s3);
      q = q.lanewise(VectorOperators.LSHR, 4);
      s0 = toFloat(q.and(first)).fma(all(x[i + 4]), s0);
      s1 = toFloat(q.and(second)).fma(all(x[i + 5]), s1);
      s2 = toFloat(q.and(third)).fma(all(x[i + 6]), s2);
      s3 = toFloat(q.lanewise(VectorOperators.LSHR, 24)).fma(all(x[i + 7]), s3);
      if ((c & 24) == 24) {
        sum =
            s0.add(s1)
                .add(s2.add(s3))
                .fma(FloatVector.fromArray(FLOATS, scales, (c >> 5) * LENGTH), sum);
        s0 = FloatVector.zero(FLOATS);
        s1 = s0;
        s2 = s0;
        s3 = s0;
      }
    }
    sum.intoArray(y, to);
  }

  /**
   * {@link TileForm.Quants#BYTES}.
   *
   * @param x as it is
   */
  static void bytes(
      MemorySegment data,
      long at,
      float[] x,
      int xAt,
      float[] scales,
      int columns,
      float[] y,
      int to) {
    FloatVector sum = FloatVector.fromArray(FLOATS, y, to);
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    for (int c = 0; c < columns; c += 4) {
      long column = at + (long) TileForm.ROWS * c;
      int i = xAt + c;
      s0 = Lanes.signedFloats(data, column).fma(all(x[i]), s0);
      s1 = Lanes.signedFloats(data, column + TileForm.ROWS).fma(all(x[i + 1]), s1);
      s2 = Lanes.signedFloats(data, column + 2 * TileForm.ROWS).fma(all(x[i + 2]), s2);
      s3 = Lanes.signedFloats(data, column + 3 * TileForm.ROWS).fma(all(x[i + 3]), s3);
      if ((c & 28) == 28) {
        sum =
            s0.add(s1)
                .add(s2.add(s3))
                .fma(FloatVector.fromArray(FLOATS, scales, (c >> 5) * LENGTH), sum);
        s0 = FloatVector.zero(FLOATS);
        s1 = s0;
        s2 = s0;
        s3 = s0;
      }
    }
    sum.intoArray(y, to);
  }
}
