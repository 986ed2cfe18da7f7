package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;

/**
 * Rows of a weight times one row of x, unpacked in registers. The plain version is a row that
 * {@link Blocks#decode} decodes, block by block, and a scalar dot product; types without a kernel
 * of their own run it.
 */
final class Dots {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(Lanes.ORDER);

  private Dots() {}

  /**
   * {@code results[i] = row i · x} for {@code count} rows.
   *
   * @param at of the first row, in bytes
   * @param sums of each 16 elements of x
   */
  static void multiply(
      DataType type,
      MemorySegment source,
      long at,
      long rowBytes,
      int count,
      float[] x,
      float[] sums,
      int columns,
      float[] decoded,
      float[] results) {
    for (int i = 0; i < count; i++) {
      long row = at + i * rowBytes;
      results[i] =
          switch (type) {
            case F32 -> f32(source, row, x, columns);
            case F16 -> f16(source, row, x, columns);
            case BF16 -> bf16(source, row, x, columns);
            case Q4_0 -> SmallBlockDots.nibbles(source, row, x, sums, columns, false);
            case Q4_1 -> SmallBlockDots.nibbles(source, row, x, sums, columns, true);
            case Q5_0 -> SmallBlockDots.fives(source, row, x, sums, columns, false);
            case Q5_1 -> SmallBlockDots.fives(source, row, x, sums, columns, true);
            case Q8_0 -> SmallBlockDots.bytes(source, row, x, columns);
            case SCALED_F8 -> SmallBlockDots.eightBitFloats(source, row, x, columns);
            case Q4_K -> SuperBlockDots.fours(source, row, x, sums, columns);
            case Q5_K -> SuperBlockDots.fives(source, row, x, sums, columns);
            case Q6_K -> SuperBlockDots.sixes(source, row, x, sums, columns);
            default -> decoded(type, source, row, x, columns, decoded);
          };
    }
  }

  private static float decoded(
      DataType type, MemorySegment source, long at, float[] x, int columns, float[] decoded) {
    Blocks.decode(type, source, at, decoded, 0, columns);
    FloatVector sum = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i < Lanes.whole(columns); i += LENGTH) {
      sum = FloatVector.fromArray(FLOATS, decoded, i).fma(FloatVector.fromArray(FLOATS, x, i), sum);
    }
    float total = Lanes.sum(sum);
    for (; i < columns; i++) {
      total = Math.fma(decoded[i], x[i], total);
    }
    return total;
  }

  private static float f32(MemorySegment source, long at, float[] x, int columns) {
    FloatVector sum = FloatVector.zero(FLOATS);
    FloatVector second = sum;
    int i = 0;
    for (; i <= columns - 2 * LENGTH; i += 2 * LENGTH) {
      sum = Lanes.floats(source, at + 4L * i).fma(FloatVector.fromArray(FLOATS, x, i), sum);
      second =
          Lanes.floats(source, at + 4L * (i + LENGTH))
              .fma(FloatVector.fromArray(FLOATS, x, i + LENGTH), second);
    }
    float total = Lanes.sum(sum.add(second));
    for (; i < columns; i++) {
      total = Math.fma(source.get(FLOAT, at + 4L * i), x[i], total);
    }
    return total;
  }

  private static float f16(MemorySegment source, long at, float[] x, int columns) {
    FloatVector sum = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i <= columns - LENGTH; i += LENGTH) {
      sum =
          Lanes.halves(Lanes.patterns(source, at + 2L * i))
              .fma(FloatVector.fromArray(FLOATS, x, i), sum);
    }
    float total = Lanes.sum(sum);
    for (; i < columns; i++) {
      total = Math.fma(Lanes.half(source, at + 2L * i), x[i], total);
    }
    return total;
  }

  private static float bf16(MemorySegment source, long at, float[] x, int columns) {
    FloatVector sum = FloatVector.zero(FLOATS);
    int i = 0;
    for (; i <= columns - LENGTH; i += LENGTH) {
      sum =
          Lanes.brainFloats(Lanes.patterns(source, at + 2L * i))
              .fma(FloatVector.fromArray(FLOATS, x, i), sum);
    }
    float total = Lanes.sum(sum);
    for (; i < columns; i++) {
      float weight = Float.intBitsToFloat(source.get(Lanes.SHORT, at + 2L * i) << 16);
      total = Math.fma(weight, x[i], total);
    }
    return total;
  }
}
