package dev.kancil.family;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/**
 * A matrix [out, in] of eight-bit floats, of which each rectangle of some rows and columns has a
 * factor: {@code w = factor · float}.
 *
 * @param floats of type F8_E4M3
 * @param factors [⌈out / rows⌉, ⌈in / columns⌉]
 */
record ScaledFloats(int out, int in, Tensor floats, float[] factors, int rows, int columns) {
  // The least and the most of E4M3 are 2^-9 and 1.75 · 2^8, those of half precision 2^-24 and 1.99
  // · 2^15.
  private static final int LEAST_EXPONENT = -15;
  private static final int MOST_EXPONENT = 7;

  /** F16 where it holds all products exactly, as where factors are powers of two; or else F32. */
  DataType type() {
    for (float factor : factors) {
      int exponent = Math.getExponent(factor);
      if (exponent < LEAST_EXPONENT
          || exponent > MOST_EXPONENT
          || Math.abs(factor) != Math.scalb(1f, exponent)) {
        return DataType.F32;
      }
    }
    return DataType.F16;
  }

  /** Writes the products, of type F16 or F32. */
  void multiply(DataType type, MemorySegment target) {
    int factorsOfRow = Math.ceilDiv(in, columns);
    IntStream all = IntStream.range(0, out);
    boolean isShared = Tensor.isEverybodys(target) && Tensor.isEverybodys(floats.data());
    (isShared ? all.parallel() : all)
        .forEach(
            row -> {
              float[] values = new float[in];
              Blocks.decode(floats.type(), floats.data(), (long) row * in, values, 0, in);
              for (int i = 0; i < in; i++) {
                values[i] *= factors[row / rows * factorsOfRow + i / columns];
              }
              Blocks.encode(type, values, 0, target, type.byteSize((long) row * in), in);
            });
  }
}
