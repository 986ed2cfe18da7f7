package dev.kancil.family;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.IntStream;

/**
 * A matrix [out, in] of eight-bit floats, of which each rectangle of some rows and columns has a
 * factor: {@code w = factor · float}.
 *
 * @param floats of type F8_E4M3 or F8_E5M2
 * @param factors [⌈out / rows⌉, ⌈in / columns⌉]
 */
record ScaledFloats(int out, int in, Tensor floats, float[] factors, int rows, int columns) {
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int BLOCK = DataType.SCALED_F8.blockElements();
  private static final int LEAST_HALF_EXPONENT = -24;
  private static final int MOST_HALF_EXPONENT = 15;

  /**
   * SCALED_F8 where blocks of E4M3 have one factor each; else F16 where it holds all products
   * exactly, as where factors are powers of two; or else F32.
   */
  DataType type() {
    boolean isOfThree = floats.type() == DataType.F8_E4M3;
    if (isOfThree && in % BLOCK == 0 && (columns >= in || columns % BLOCK == 0)) {
      return DataType.SCALED_F8;
    }
    // The least and the most of E4M3 are 2^-9 and 1.75 · 2^8, those of E5M2 2^-16 and 1.75 · 2^15.
    int least = LEAST_HALF_EXPONENT + (isOfThree ? 9 : 16);
    int most = MOST_HALF_EXPONENT - (isOfThree ? 8 : 15);
    for (float factor : factors) {
      int exponent = Math.getExponent(factor);
      if (exponent < least || exponent > most || Math.abs(factor) != Math.scalb(1f, exponent)) {
        return DataType.F32;
      }
    }
    return DataType.F16;
  }

  /** Writes the products, of the type that {@link #type} tells. */
  void multiply(DataType type, MemorySegment target) {
    IntStream all = IntStream.range(0, out);
    boolean isShared = Tensor.isEverybodys(target) && Tensor.isEverybodys(floats.data());
    (isShared ? all.parallel() : all)
        .forEach(
            row -> {
              long to = type.byteSize((long) row * in);
              if (type == DataType.SCALED_F8) {
                pack(row, target, to);
              } else {
                multiply(row, type, target, to);
              }
            });
  }

  private float factor(int row, int column) {
    return factors[row / rows * Math.ceilDiv(in, columns) + column / columns];
  }

  private void multiply(int row, DataType type, MemorySegment target, long to) {
    float[] values = new float[in];
    Blocks.decode(floats.type(), floats.data(), (long) row * in, values, 0, in);
    for (int i = 0; i < in; i++) {
      values[i] *= factor(row, i);
    }
    Blocks.encode(type, values, 0, target, to, in);
  }

  private void pack(int row, MemorySegment target, long to) {
    MemorySegment source = floats.data();
    for (int i = 0; i < in; i += BLOCK) {
      long from = (long) row * in + i;
      long at = to + DataType.SCALED_F8.byteSize(i);
      float factor = isOfNumbers(source, from) ? factor(row, i) : Float.NaN;
      target.set(FLOAT, at, factor);
      MemorySegment.copy(source, from, target, at + Float.BYTES, BLOCK);
    }
  }

  /** Whether no byte of a block is E4M3's NaN, which has ones everywhere but for the sign. */
  private static boolean isOfNumbers(MemorySegment source, long from) {
    long carries = 0;
    for (int i = 0; i < BLOCK; i += Long.BYTES) {
      long magnitudes = source.get(ValueLayout.JAVA_LONG_UNALIGNED, from + i) & 0x7f7f7f7f7f7f7f7fL;
      carries |= magnitudes + 0x0101010101010101L;
    }
    return (carries & 0x8080808080808080L) == 0;
  }
}
