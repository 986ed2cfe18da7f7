package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.all;

import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Tiles of floats: those of a column beside each other. {@link DataType#SCALED_F8} has the scales
 * of each 32 columns, float32, before them.
 *
 * <p>Products take four sums in turn, as in {@link TileDots}.
 */
final class FloatTiles {
  private static final int ROWS = TileForm.ROWS;
  private static final int WIDTH = PackedTiles.WIDTH;
  private static final int BLOCK = 32;
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Lanes.ORDER);

  private FloatTiles() {}

  static boolean takes(DataType type) {
    return switch (type) {
      case F32, F16, BF16, SCALED_F8 -> true;
      default -> false;
    };
  }

  private static int elementBytes(DataType type) {
    return switch (type) {
      case F32 -> 4;
      case F16, BF16 -> 2;
      default -> 1;
    };
  }

  /** Where floats begin in a tile. */
  private static long floats(DataType type, int columns) {
    return type == DataType.SCALED_F8 ? 4L * ROWS * (columns / BLOCK) : 0;
  }

  /** Bytes of a tile. */
  static long bytes(DataType type, int columns) {
    return floats(type, columns) + (long) ROWS * columns * elementBytes(type);
  }

  /** Lays a row that begins at {@code at} as a lane of the tile that begins at {@code tile}. */
  static void pack(
      DataType type,
      MemorySegment from,
      long at,
      int columns,
      MemorySegment to,
      long tile,
      int lane) {
    long target = tile + floats(type, columns) + (long) lane * elementBytes(type);
    switch (type) {
      case F32 -> {
        for (int c = 0; c < columns; c++) {
          to.set(FLOAT, target + 4L * ROWS * c, from.get(FLOAT, at + 4L * c));
        }
      }
      case F16, BF16 -> {
        for (int c = 0; c < columns; c++) {
          to.set(Lanes.SHORT, target + 2L * ROWS * c, from.get(Lanes.SHORT, at + 2L * c));
        }
      }
      default -> {
        for (int c = 0; c < columns; c++) {
          long block = at + (long) c / BLOCK * (BLOCK + 4);
          byte element = from.get(ValueLayout.JAVA_BYTE, block + 4 + c % BLOCK);
          to.set(ValueLayout.JAVA_BYTE, target + (long) ROWS * c, element);
          to.set(FLOAT, tile + 4L * (c / BLOCK * ROWS + lane), from.get(FLOAT, block));
        }
      }
    }
  }

  /**
   * {@code y = rows · x}.
   *
   * @param at of the tile
   * @param part the first row's number in it
   */
  static void multiply(
      DataType type,
      MemorySegment data,
      long at,
      int part,
      float[] x,
      int xAt,
      int columns,
      float[] y,
      int to) {
    switch (type) {
      case F32 -> singles(data, at + 4L * part, x, xAt, columns, y, to);
      case F16 -> halves(data, at + 2L * part, x, xAt, columns, y, to);
      case BF16 -> brainFloats(data, at + 2L * part, x, xAt, columns, y, to);
      default -> {
        long floats = at + floats(type, columns) + part;
        eightBitFloats(data, at + 4L * part, floats, x, xAt, columns, y, to);
      }
    }
  }

  private static void singles(
      MemorySegment data, long at, float[] x, int xAt, int columns, float[] y, int to) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int c = 0;
    for (; c < columns - 3; c += 4) {
      long column = at + 4L * ROWS * c;
      int i = xAt + c;
      s0 = Lanes.floats(data, column).fma(all(x[i]), s0);
      s1 = Lanes.floats(data, column + 4L * ROWS).fma(all(x[i + 1]), s1);
      s2 = Lanes.floats(data, column + 8L * ROWS).fma(all(x[i + 2]), s2);
      s3 = Lanes.floats(data, column + 12L * ROWS).fma(all(x[i + 3]), s3);
    }
    for (; c < columns; c++) {
      s0 = Lanes.floats(data, at + 4L * ROWS * c).fma(all(x[xAt + c]), s0);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(y, to);
  }

  private static FloatVector half(MemorySegment data, long at) {
    return Lanes.halves(Lanes.patterns(data, at));
  }

  /** Two sums in turn, but one conversion in the loop: with two C2 stops inlining. */
  private static void halves(
      MemorySegment data, long at, float[] x, int xAt, int columns, float[] y, int to) {
    FloatVector next = FloatVector.zero(FLOATS);
    FloatVector other = next;
    for (int c = 0; c < columns; c++) {
      FloatVector sum = half(data, at + 2L * ROWS * c).fma(all(x[xAt + c]), next);
      next = other;
      other = sum;
    }
    next.add(other).intoArray(y, to);
  }

  private static FloatVector brainFloat(MemorySegment data, long at) {
    return Lanes.brainFloats(Lanes.patterns(data, at));
  }

  private static void brainFloats(
      MemorySegment data, long at, float[] x, int xAt, int columns, float[] y, int to) {
    FloatVector s0 = FloatVector.zero(FLOATS);
    FloatVector s1 = s0;
    FloatVector s2 = s0;
    FloatVector s3 = s0;
    int c = 0;
    for (; c < columns - 3; c += 4) {
      long column = at + 2L * ROWS * c;
      int i = xAt + c;
      s0 = brainFloat(data, column).fma(all(x[i]), s0);
      s1 = brainFloat(data, column + 2L * ROWS).fma(all(x[i + 1]), s1);
      s2 = brainFloat(data, column + 4L * ROWS).fma(all(x[i + 2]), s2);
      s3 = brainFloat(data, column + 6L * ROWS).fma(all(x[i + 3]), s3);
    }
    for (; c < columns; c++) {
      s0 = brainFloat(data, at + 2L * ROWS * c).fma(all(x[xAt + c]), s0);
    }
    s0.add(s1).add(s2.add(s3)).intoArray(y, to);
  }

  private static void eightBitFloats(
      MemorySegment data,
      long scales,
      long at,
      float[] x,
      int xAt,
      int columns,
      float[] y,
      int to) {
    FloatVector sum = FloatVector.zero(FLOATS);
    FloatVector s0 = sum;
    FloatVector s1 = sum;
    for (int c = 0; c < columns; c += 2) {
      long column = at + (long) ROWS * c;
      s0 = Lanes.eightBitFloats(data, column).fma(all(x[xAt + c]), s0);
      s1 = Lanes.eightBitFloats(data, column + ROWS).fma(all(x[xAt + c + 1]), s1);
      if ((c & 30) == 30) {
        sum = s0.add(s1).fma(Lanes.floats(data, scales + 4L * ROWS * (c >> 5)), sum);
        s0 = FloatVector.zero(FLOATS);
        s1 = s0;
      }
    }
    sum.intoArray(y, to);
  }

  /** Some columns as float32, as {@link TileDecoding} has them. */
  static void decode(
      DataType type,
      MemorySegment data,
      long at,
      int part,
      int columns,
      int first,
      int count,
      float[] panel,
      int to) {
    long floats = at + floats(type, columns) + (long) (first * ROWS + part) * elementBytes(type);
    switch (type) {
      case F32 -> decodeSingles(data, floats, count, panel, to);
      case F16 -> decodeHalves(data, floats, count, panel, to);
      case BF16 -> decodeBrainFloats(data, floats, count, panel, to);
      default -> {
        long scales = at + 4L * (first / BLOCK * ROWS + part);
        decodeEightBitFloats(data, scales, floats, count, panel, to);
      }
    }
  }

  private static void decodeSingles(MemorySegment data, long at, int count, float[] panel, int to) {
    for (int i = 0; i < count; i++) {
      Lanes.floats(data, at + 4L * ROWS * i).intoArray(panel, to + i * WIDTH);
    }
  }

  private static void decodeHalves(MemorySegment data, long at, int count, float[] panel, int to) {
    for (int i = 0; i < count; i++) {
      half(data, at + 2L * ROWS * i).intoArray(panel, to + i * WIDTH);
    }
  }

  private static void decodeBrainFloats(
      MemorySegment data, long at, int count, float[] panel, int to) {
    for (int i = 0; i < count; i++) {
      brainFloat(data, at + 2L * ROWS * i).intoArray(panel, to + i * WIDTH);
    }
  }

  private static void decodeEightBitFloats(
      MemorySegment data, long scales, long at, int count, float[] panel, int to) {
    for (int i = 0; i < count; i++) {
      Lanes.eightBitFloats(data, at + (long) ROWS * i)
          .mul(Lanes.floats(data, scales + 4L * ROWS * (i >> 5)))
          .intoArray(panel, to + i * WIDTH);
    }
  }
}
