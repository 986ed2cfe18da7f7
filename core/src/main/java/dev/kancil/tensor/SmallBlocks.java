package dev.kancil.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Blocks of 32 elements, or 64. Where elements take four bits, byte i of the packed part holds
 * element i in its low and element i + 16 in its high half; in NVFP4, of each 16 elements, i and i
 * + 8.
 *
 * <pre>
 * Q4_0    half d; 16 bytes          x = d (q - 8)
 * Q4_1    half d, m; 16 bytes       x = d q + m
 * Q5_0    half d; 32 fifth bits; 16 bytes      x = d (q - 16)
 * Q5_1    half d, m; 32 fifth bits; 16 bytes   x = d q + m
 * Q8_0    half d; 32 signed bytes   x = d q
 * IQ4_NL  half d; 16 bytes          x = d table[q]
 * MXFP4   byte e; 16 bytes          x = 2^(e - 127) fp4[q]   (OCP Microscaling Formats 1.0)
 * NVFP4   4 bytes e; 4 × 8 bytes    x = e4m3(e) fp4[q]     e without a sign; one that is no number is 0
 * SCALED_F8   float d; 32 bytes     x = d e4m3(q)
 * </pre>
 *
 * <p>SCALED_F8 takes bytes that are no numbers in E4M3 for ±480; a block of a checkpoint that has
 * one gets a scale that is no number.
 */
final class SmallBlocks {
  private static final int ELEMENTS = 32;

  /** The non-linear levels of IQ4_NL and IQ4_XS. */
  static final byte[] LEVELS = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  /** Twice the values of four-bit floats with two exponent bits and one of mantissa. */
  static final byte[] FP4_DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  private SmallBlocks() {}

  static void decode(DataType type, MemorySegment source, long at, float[] target, int to) {
    switch (type) {
      case Q4_0 -> nibbles(source, at + 2, target, to, Blocks.half(source, at), -8, 0);
      case Q4_1 ->
          nibbles(
              source, at + 4, target, to, Blocks.half(source, at), 0, Blocks.half(source, at + 2));
      case Q5_0 ->
          fives(
              source,
              at + 6,
              target,
              to,
              source.get(Blocks.INT, at + 2),
              Blocks.half(source, at),
              -16,
              0);
      case Q5_1 ->
          fives(
              source,
              at + 8,
              target,
              to,
              source.get(Blocks.INT, at + 4),
              Blocks.half(source, at),
              0,
              Blocks.half(source, at + 2));
      case Q8_0 -> {
        float d = Blocks.half(source, at);
        for (int i = 0; i < ELEMENTS; i++) {
          target[to + i] = d * source.get(ValueLayout.JAVA_BYTE, at + 2 + i);
        }
      }
      case IQ4_NL -> table(source, at + 2, target, to, Blocks.half(source, at), LEVELS);
      case MXFP4 -> {
        // Half of 2^(e - 127), since the table holds doubled values; down to subnormal floats.
        float d = (float) Math.scalb(1.0, Blocks.unsigned(source, at) - 128);
        table(source, at + 1, target, to, d, FP4_DOUBLED);
      }
      case NVFP4 -> {
        for (int i = 0; i < 64; i++) {
          int scale = Blocks.unsigned(source, at + i / 16);
          float d = scale == 0x7f ? 0 : e4m3(scale) / 2;
          int packed = Blocks.unsigned(source, at + 4 + 8 * (i / 16) + i % 8);
          target[to + i] = d * FP4_DOUBLED[packed >> 4 * (i / 8 % 2) & 15];
        }
      }
      case SCALED_F8 -> {
        float d = source.get(Blocks.FLOAT, at);
        for (int i = 0; i < ELEMENTS; i++) {
          byte bits = source.get(ValueLayout.JAVA_BYTE, at + 4 + i);
          target[to + i] = d * Math.copySign(e4m3(bits), (float) bits);
        }
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  /** Four bits of exponent and three of mantissa, whatever else there is. */
  static float e4m3(int bits) {
    int exponent = bits >> 3 & 15;
    int mantissa = bits & 7;
    return exponent == 0 ? mantissa * 0x1p-9f : Math.scalb(8 + mantissa, exponent - 10);
  }

  private static void nibbles(
      MemorySegment source, long at, float[] target, int to, float d, int offset, float m) {
    for (int i = 0; i < ELEMENTS / 2; i++) {
      int packed = Blocks.unsigned(source, at + i);
      target[to + i] = d * ((packed & 15) + offset) + m;
      target[to + i + 16] = d * ((packed >> 4) + offset) + m;
    }
  }

  private static void fives(
      MemorySegment source,
      long at,
      float[] target,
      int to,
      int high,
      float d,
      int offset,
      float m) {
    for (int i = 0; i < ELEMENTS / 2; i++) {
      int packed = Blocks.unsigned(source, at + i);
      int low = packed & 15 | (high >> i & 1) << 4;
      int upper = packed >> 4 | (high >> i + 16 & 1) << 4;
      target[to + i] = d * (low + offset) + m;
      target[to + i + 16] = d * (upper + offset) + m;
    }
  }

  static void table(MemorySegment source, long at, float[] target, int to, float d, byte[] levels) {
    for (int i = 0; i < ELEMENTS / 2; i++) {
      int packed = Blocks.unsigned(source, at + i);
      target[to + i] = d * levels[packed & 15];
      target[to + i + 16] = d * levels[packed >> 4];
    }
  }

  static void pack(DataType type, short scale, byte[] quants, MemorySegment target, long at) {
    target.set(Blocks.SHORT, at, scale);
    switch (type) {
      case Q4_0 -> packNibbles(quants, 8, target, at + 2);
      case Q5_0 -> {
        int fifths = 0;
        for (int i = 0; i < ELEMENTS; i++) {
          fifths |= (quants[i] + 16 >> 4 & 1) << i;
        }
        target.set(Blocks.INT, at + 2, fifths);
        packNibbles(quants, 16, target, at + 6);
      }
      case Q8_0 -> MemorySegment.copy(quants, 0, target, ValueLayout.JAVA_BYTE, at + 2, ELEMENTS);
      default -> throw new IllegalArgumentException("can't pack " + type);
    }
  }

  private static void packNibbles(byte[] quants, int offset, MemorySegment target, long at) {
    for (int i = 0; i < ELEMENTS / 2; i++) {
      int low = quants[i] + offset & 15;
      int high = quants[i + 16] + offset & 15;
      target.set(ValueLayout.JAVA_BYTE, at + i, (byte) (low | high << 4));
    }
  }

  static void encodeQ8(float[] source, int from, MemorySegment target, long at) {
    float max = 0;
    for (int i = 0; i < ELEMENTS; i++) {
      max = Math.max(max, Math.abs(source[from + i]));
    }
    float d = max / 127;
    float inverse = d == 0 ? 0 : 1 / d;
    target.set(Blocks.SHORT, at, Float.floatToFloat16(d));
    for (int i = 0; i < ELEMENTS; i++) {
      float scaled = source[from + i] * inverse;
      int rounded = (int) (scaled + Math.copySign(0.5f, scaled));
      target.set(ValueLayout.JAVA_BYTE, at + 2 + i, (byte) rounded);
    }
  }
}
