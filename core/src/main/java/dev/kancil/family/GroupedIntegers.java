package dev.kancil.family;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A matrix [out, in] of small integers, of which groups of columns share a scale and a zero in each
 * row: {@code w = scale (q - zero)}. It lies turned round, packed in words of 32 bits: by GPTQ the
 * columns of a row one after the other, by AWQ (four bits) eight rows of a column in a word, even
 * ones before odd ones. Zeros lie [groups, out], packed along rows, in the same orders.
 *
 * @param quants by GPTQ [in · bits / 32, out], by AWQ [in, out / 8]
 * @param zeros [groups, out · bits / 32]
 * @param scales [groups, out], of a type of floats
 * @param zeroOffset what is added to zeros as they are stored
 * @param groupOf each column's group
 */
record GroupedIntegers(
    int out,
    int bits,
    boolean isAwq,
    Tensor quants,
    Tensor zeros,
    Tensor scales,
    int zeroOffset,
    int[] groupOf) {
  /** Columns that a block of the types that hold such integers has. */
  static final int BLOCK = 32;

  /** Rows that are packed together, so that words are read in runs. */
  private static final int TILE = 64;

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  int in() {
    return groupOf.length;
  }

  private int groups() {
    return Math.toIntExact(scales.shape().rows());
  }

  private int quant(int column, int row) {
    return isAwq
        ? interleaved(quants.data(), column, row)
        : field(quants.data(), (long) column * bits, out, row);
  }

  private int zero(int group, int row) {
    if (isAwq) {
      return interleaved(zeros.data(), group, row) + zeroOffset;
    }
    long words = (long) out * bits / 32;
    return field(zeros.data(), (long) row * bits, 1, group * words) + zeroOffset;
  }

  /** The number at a bit of words that are {@code stride} apart, of which {@code first} is one. */
  private int field(MemorySegment words, long bit, long stride, long first) {
    long word = bit / 32 * stride + first;
    int shift = (int) (bit % 32);
    int value = words.get(INT, 4 * word) >>> shift;
    if (shift + bits > 32) {
      value |= words.get(INT, 4 * (word + stride)) << 32 - shift;
    }
    return value & (1 << bits) - 1;
  }

  private int interleaved(MemorySegment words, int line, int row) {
    int nibble = row % 8 / 2 + row % 2 * 4;
    return words.get(INT, 4 * ((long) line * (out / 8) + row / 8)) >>> 4 * nibble & 15;
  }

  /** The bits of a scale as a half-precision number. */
  private short half(int group, int row) {
    if (scales.type() == DataType.F16) {
      return scales.data().get(ValueLayout.JAVA_SHORT_UNALIGNED, 2 * ((long) group * out + row));
    }
    return Float.floatToFloat16(scale(group, row));
  }

  private float scale(int group, int row) {
    float[] one = new float[1];
    long at = scales.type().byteSize((long) group * out + row);
    Blocks.decode(scales.type(), scales.data(), at, one, 0, 1);
    return one[0];
  }

  /** Whether half-precision numbers hold all scales. */
  boolean scalesAreHalves() {
    if (scales.type() == DataType.F16) {
      return true;
    }
    for (int group = 0; group < groups(); group++) {
      for (int row = 0; row < out; row++) {
        float scale = scale(group, row);
        if (Float.float16ToFloat(Float.floatToFloat16(scale)) != scale) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * The type of blocks whose quants hold all of {@code q - zero}; null if there is none. With eight
   * bits there is one if all zeros are 128.
   */
  @Nullable DataType type() {
    int least = Integer.MAX_VALUE;
    int most = Integer.MIN_VALUE;
    for (int group = 0; group < groups(); group++) {
      for (int row = 0; row < out; row++) {
        int zero = zero(group, row);
        least = Math.min(least, zero);
        most = Math.max(most, zero);
      }
    }
    int low = -most;
    int high = (1 << bits) - 1 - least;
    if (low >= -8 && high <= 7) {
      return DataType.Q4_0;
    }
    if (low >= -16 && high <= 15) {
      return DataType.Q5_0;
    }
    return low >= -128 && high <= 127 ? DataType.Q8_0 : null;
  }

  /**
   * The order of columns in which each block is of one group, the one they have if that will do;
   * null if there is none.
   */
  int @Nullable [] order() {
    if (in() % BLOCK != 0) {
      return null;
    }
    int[] starts = new int[groups() + 1];
    for (int group : groupOf) {
      starts[group + 1]++;
    }
    for (int group = 0; group < groups(); group++) {
      if (starts[group + 1] % BLOCK != 0) {
        return null;
      }
      starts[group + 1] += starts[group];
    }
    boolean isInOrder = true;
    int[] order = new int[in()];
    for (int column = 0; column < in(); column++) {
      isInOrder &= groupOf[column] == groupOf[column / BLOCK * BLOCK];
      order[starts[groupOf[column]]++] = column;
    }
    if (isInOrder) {
      Arrays.setAll(order, i -> i);
    }
    return order;
  }

  /**
   * Writes blocks of a type that holds the integers, with columns in an order of {@link #order}.
   */
  void pack(DataType type, int[] order, MemorySegment target) {
    long rowBytes = type.byteSize(in());
    tiles(target)
        .forEach(
            tile -> {
              byte[] differences = new byte[BLOCK];
              for (int block = 0; block < in() / BLOCK; block++) {
                int first = block * BLOCK;
                int group = groupOf[order[first]];
                for (int row = tile * TILE; row < Math.min(out, (tile + 1) * TILE); row++) {
                  int zero = zero(group, row);
                  for (int i = 0; i < BLOCK; i++) {
                    differences[i] = (byte) (quant(order[first + i], row) - zero);
                  }
                  long at = row * rowBytes + (long) block * type.blockBytes();
                  Blocks.pack(type, half(group, row), differences, target, at);
                }
              }
            });
  }

  /** Writes float32. */
  void decode(MemorySegment target) {
    tiles(target)
        .forEach(
            tile -> {
              for (int column = 0; column < in(); column++) {
                int group = groupOf[column];
                for (int row = tile * TILE; row < Math.min(out, (tile + 1) * TILE); row++) {
                  float value = scale(group, row) * (quant(column, row) - zero(group, row));
                  target.set(ValueLayout.JAVA_FLOAT, 4 * ((long) row * in() + column), value);
                }
              }
            });
  }

  private IntStream tiles(MemorySegment target) {
    IntStream tiles = IntStream.range(0, Math.ceilDiv(out, TILE));
    return Tensor.isEverybodys(target) && Tensor.isEverybodys(quants.data())
        ? tiles.parallel()
        : tiles;
  }
}
