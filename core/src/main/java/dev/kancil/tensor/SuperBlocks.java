package dev.kancil.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Blocks of 256 elements: sub-blocks of 16 or 32 whose small integer scales (and minima) are scaled
 * themselves by one half-precision number for the block.
 *
 * <pre>
 * Q2_K    16 × (4-bit scale, 4-bit min); 64 bytes of 2 bits; half d, dmin
 * Q3_K    32 bytes of third bits; 64 bytes of 2 bits; 16 six-bit scales in 12 bytes; half d
 * Q4_K    half d, dmin; 8 × (6-bit scale, 6-bit min) in 12 bytes; 128 bytes of 4 bits
 * Q5_K    as Q4_K, with 32 bytes of fifth bits before the 128 bytes
 * Q6_K    128 bytes of low 4 bits; 64 bytes of high 2 bits; 16 signed byte scales; half d
 * Q8_K    float d; 256 signed bytes; 16 two-byte sums of each 16 of them
 * IQ4_XS  half d; 8 six-bit scales in 2 + 4 bytes; 128 bytes of 4-bit levels
 * </pre>
 */
final class SuperBlocks {
  private static final int ELEMENTS = 256;

  private SuperBlocks() {}

  static void decode(DataType type, MemorySegment source, long at, float[] target, int to) {
    switch (type) {
      case Q2_K -> q2(source, at, target, to);
      case Q3_K -> q3(source, at, target, to);
      case Q4_K -> q4(source, at, target, to);
      case Q5_K -> q5(source, at, target, to);
      case Q6_K -> q6(source, at, target, to);
      case Q8_K -> q8(source, at, target, to);
      case IQ4_XS -> iq4(source, at, target, to);
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  private static void q2(MemorySegment source, long at, float[] target, int to) {
    float d = Blocks.half(source, at + 80);
    float dmin = Blocks.half(source, at + 82);
    for (int i = 0; i < ELEMENTS; i++) {
      // Each half of the block packs four runs of 32 elements into 32 bytes, two bits each.
      int half = i / 128;
      int run = i / 32 % 4;
      int scale = Blocks.unsigned(source, at + i / 16);
      int q = Blocks.unsigned(source, at + 16 + 32 * half + i % 32) >> 2 * run & 3;
      target[to + i] = d * (scale & 15) * q - dmin * (scale >> 4);
    }
  }

  private static void q3(MemorySegment source, long at, float[] target, int to) {
    float d = Blocks.half(source, at + 108);
    for (int i = 0; i < ELEMENTS; i++) {
      target[to + i] = d * q3Scale(source, at, i / 16) * q3Quant(source, at, i);
    }
  }

  private static int q3Scale(MemorySegment source, long at, int sub) {
    int low = Blocks.unsigned(source, at + 96 + sub % 8) >> 4 * (sub / 8) & 15;
    int high = Blocks.unsigned(source, at + 104 + sub % 4) >> 2 * (sub / 4) & 3;
    return (low | high << 4) - 32;
  }

  private static int q3Quant(MemorySegment source, long at, int i) {
    int half = i / 128;
    int run = i / 32 % 4;
    int q = Blocks.unsigned(source, at + 32 + 32 * half + i % 32) >> 2 * run & 3;
    int third = Blocks.unsigned(source, at + i % 32) >> 4 * half + run & 1;
    return q - 4 * (1 - third);
  }

  /** The six-bit scale of sub-block {@code sub} of Q4_K and Q5_K. */
  private static int scale(MemorySegment source, long at, int sub) {
    return sub < 4
        ? Blocks.unsigned(source, at + sub) & 63
        : Blocks.unsigned(source, at + sub + 4) & 15
            | Blocks.unsigned(source, at + sub - 4) >> 6 << 4;
  }

  /** The six-bit minimum of sub-block {@code sub} of Q4_K and Q5_K. */
  private static int minimum(MemorySegment source, long at, int sub) {
    return sub < 4
        ? Blocks.unsigned(source, at + sub + 4) & 63
        : Blocks.unsigned(source, at + sub + 4) >> 4 | Blocks.unsigned(source, at + sub) >> 6 << 4;
  }

  private static void q4(MemorySegment source, long at, float[] target, int to) {
    for (int sub = 0; sub < 8; sub++) {
      float d = Blocks.half(source, at) * scale(source, at + 4, sub);
      float min = Blocks.half(source, at + 2) * minimum(source, at + 4, sub);
      for (int i = 0; i < 32; i++) {
        int q = Blocks.unsigned(source, at + 16 + 32 * (sub / 2) + i) >> 4 * (sub % 2) & 15;
        target[to + 32 * sub + i] = d * q - min;
      }
    }
  }

  private static void q5(MemorySegment source, long at, float[] target, int to) {
    for (int sub = 0; sub < 8; sub++) {
      float d = Blocks.half(source, at) * scale(source, at + 4, sub);
      float min = Blocks.half(source, at + 2) * minimum(source, at + 4, sub);
      for (int i = 0; i < 32; i++) {
        int q = Blocks.unsigned(source, at + 48 + 32 * (sub / 2) + i) >> 4 * (sub % 2) & 15;
        int fifth = Blocks.unsigned(source, at + 16 + i) >> sub & 1;
        target[to + 32 * sub + i] = d * (q | fifth << 4) - min;
      }
    }
  }

  private static void q6(MemorySegment source, long at, float[] target, int to) {
    float d = Blocks.half(source, at + 208);
    for (int i = 0; i < ELEMENTS; i++) {
      int half = i / 128;
      int run = i / 32 % 4;
      int low =
          Blocks.unsigned(source, at + 64 * half + 32 * (run % 2) + i % 32) >> 4 * (run / 2) & 15;
      int high = Blocks.unsigned(source, at + 128 + 32 * half + i % 32) >> 2 * run & 3;
      int scale = source.get(ValueLayout.JAVA_BYTE, at + 192 + i / 16);
      target[to + i] = d * scale * ((low | high << 4) - 32);
    }
  }

  private static void q8(MemorySegment source, long at, float[] target, int to) {
    float d = source.get(Blocks.FLOAT, at);
    for (int i = 0; i < ELEMENTS; i++) {
      target[to + i] = d * source.get(ValueLayout.JAVA_BYTE, at + 4 + i);
    }
  }

  private static void iq4(MemorySegment source, long at, float[] target, int to) {
    float d = Blocks.half(source, at);
    int high = source.get(Blocks.SHORT, at + 2) & 0xffff;
    for (int sub = 0; sub < 8; sub++) {
      int low = Blocks.unsigned(source, at + 4 + sub / 2) >> 4 * (sub % 2) & 15;
      int scale = (low | (high >> 2 * sub & 3) << 4) - 32;
      SmallBlocks.table(
          source, at + 8 + 16 * sub, target, to + 32 * sub, d * scale, SmallBlocks.LEVELS);
    }
  }
}
