package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.Lanes.toFloat;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Some columns of some rows of a tile as float32, for products with many rows of x: those of a
 * column beside each other, {@link PackedTiles#WIDTH} floats behind those of the column before.
 */
final class TileDecoding {
  private static final int WIDTH = PackedTiles.WIDTH;

  private TileDecoding() {}

  /**
   * Quants as {@link TileQuants} puts them together.
   *
   * @param scales as {@link TileScales} has them, of which the first is at {@code scalesAt}
   * @param minimums from there to the first minimum
   * @param scaleColumns that share a scale
   * @param count of columns
   */
  static void integers(
      int[] quants,
      float[] scales,
      int scalesAt,
      int minimums,
      int scaleColumns,
      int count,
      float[] panel,
      int to) {
    for (int c = 0; c < count; c += 4) {
      int i = scalesAt + c / scaleColumns * LENGTH;
      FloatVector scale = FloatVector.fromArray(FLOATS, scales, i);
      FloatVector minimum = FloatVector.fromArray(FLOATS, scales, minimums + i);
      IntVector q = IntVector.fromArray(Lanes.INTS, quants, c / 4 * LENGTH);
      four(q, scale, minimum, panel, to + c * WIDTH);
    }
  }

  private static void four(
      IntVector q, FloatVector scale, FloatVector minimum, float[] panel, int to) {
    toFloat(q.and(0xff)).fma(scale, minimum).intoArray(panel, to);
    toFloat(q.lanewise(VectorOperators.LSHR, 8).and(0xff))
        .fma(scale, minimum)
        .intoArray(panel, to + WIDTH);
    toFloat(q.lanewise(VectorOperators.LSHR, 16).and(0xff))
        .fma(scale, minimum)
        .intoArray(panel, to + 2 * WIDTH);
    toFloat(q.lanewise(VectorOperators.LSHR, 24))
        .fma(scale, minimum)
        .intoArray(panel, to + 3 * WIDTH);
  }

  /** Signed bytes. */
  static void bytes(
      MemorySegment data, long at, float[] scales, int first, int count, float[] panel, int to) {
    for (int i = 0; i < count; i++) {
      int c = first + i;
      Lanes.signedFloats(data, at + (long) TileForm.ROWS * c)
          .mul(FloatVector.fromArray(FLOATS, scales, (i >> 5) * LENGTH))
          .intoArray(panel, to + i * WIDTH);
    }
  }
}
