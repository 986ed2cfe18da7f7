package dev.kancil.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Blocks of 256 elements, in groups of eight whose levels are one or two entries of a {@link
 * Codebook}. Each 16 or 32 elements have an odd scale, of which all bits but the lowest are stored.
 * In IQ2 and IQ3 a group has a byte of signs; where it takes seven bits, the eighth makes their
 * number even. In IQ1 a group has 1/8 added or subtracted.
 *
 * <pre>
 * IQ2_XXS  half d; 8 × (4 bytes of entries; 4 × 7 signs, a scale in the highest 4 bits)
 * IQ2_XS   half d; 32 × (9 bits of an entry, 7 signs); 16 four-bit scales
 * IQ2_S    half d; 32 low bytes of entries; 32 bytes of signs; 32 × 2 high bits; 16 four-bit scales
 * IQ3_XXS  half d; 64 bytes of entries; 8 × (4 × 7 signs, a scale in the highest 4 bits)
 * IQ3_S    half d; 64 low bytes of entries; 64 high bits; 32 bytes of signs; 8 four-bit scales
 * IQ1_S    half d; 32 low bytes of entries; 8 × (4 × 3 high bits, a scale of 3 bits, a sign)
 * IQ1_M    32 low bytes of entries; 32 × (3 high bits, a sign); 4 × (4 three-bit scales, 4 bits of d)
 * </pre>
 *
 * A value is {@code d · unit · scale · quant}; scales and quants are whole numbers, and all of the
 * product fits in a float32.
 */
final class CodebookBlocks {
  private static final int ELEMENTS = 256;
  private static final int GROUP = 8;

  private CodebookBlocks() {}

  static void decode(DataType type, MemorySegment source, long at, float[] target, int to) {
    float d = Float.float16ToFloat(half(type, source, at)) * unit(type);
    for (int group = 0; group < ELEMENTS / GROUP; group++) {
      int first = to + GROUP * group;
      quants(type, source, at, group, target, first);
      float scale = d * scale(type, source, at, group / 2);
      for (int i = first; i < first + GROUP; i++) {
        target[i] *= scale;
      }
    }
  }

  /** The bits of d. */
  private static short half(DataType type, MemorySegment source, long at) {
    if (type != DataType.IQ1_M) {
      return source.get(Blocks.SHORT, at);
    }
    int half = 0;
    for (int i = 0; i < 4; i++) {
      half |= (source.get(Blocks.SHORT, at + 48 + 2 * i) >> 12 & 15) << 4 * i;
    }
    return (short) half;
  }

  private static float unit(DataType type) {
    return switch (type) {
      case IQ3_S -> 1;
      case IQ3_XXS -> 0.5f;
      default -> 0.125f;
    };
  }

  /** The scale of elements {@code 16 sub} to {@code 16 sub + 15}. */
  private static int scale(DataType type, MemorySegment source, long at, int sub) {
    int stored =
        switch (type) {
          case IQ2_XXS -> source.get(Blocks.INT, at + 6 + 8 * (sub / 2)) >>> 28;
          case IQ2_XS -> nibble(source, at + 66, sub);
          case IQ2_S -> nibble(source, at + 74, sub);
          case IQ3_XXS -> source.get(Blocks.INT, at + 66 + 4 * (sub / 2)) >>> 28;
          case IQ3_S -> nibble(source, at + 106, sub / 2);
          case IQ1_S -> source.get(Blocks.SHORT, at + 34 + 2 * (sub / 2)) >> 12 & 7;
          case IQ1_M -> source.get(Blocks.SHORT, at + 48 + 2 * (sub / 4)) >> 3 * (sub % 4) & 7;
          default -> throw new IllegalArgumentException(type.toString());
        };
    return 2 * stored + 1;
  }

  /** Eight whole numbers. */
  private static void quants(
      DataType type, MemorySegment source, long at, int group, float[] target, int to) {
    switch (type) {
      case IQ2_XXS -> {
        long pair = at + 2 + 8 * (group / 4);
        int signs = even(source.get(Blocks.INT, pair + 4) >> 7 * (group % 4));
        eight(Codebook.IQ2_XXS, Blocks.unsigned(source, pair + group % 4), signs, target, to);
      }
      case IQ2_XS -> {
        int packed = source.get(Blocks.SHORT, at + 2 + 2 * group) & 0xffff;
        eight(Codebook.IQ2_XS, packed & 511, even(packed >> 9), target, to);
      }
      case IQ2_S -> {
        int high = Blocks.unsigned(source, at + 66 + group / 4) >> 2 * (group % 4) & 3;
        int entry = Blocks.unsigned(source, at + 2 + group) | high << 8;
        eight(Codebook.IQ2_S, entry, Blocks.unsigned(source, at + 34 + group), target, to);
      }
      case IQ3_XXS -> {
        int signs = even(source.get(Blocks.INT, at + 66 + 4 * (group / 4)) >> 7 * (group % 4));
        for (int half = 0; half < 2; half++) {
          int entry = Blocks.unsigned(source, at + 2 + 2 * group + half);
          four(Codebook.IQ3_XXS, entry, signs >> 4 * half, target, to + 4 * half);
        }
      }
      case IQ3_S -> {
        int signs = Blocks.unsigned(source, at + 74 + group);
        for (int half = 0; half < 2; half++) {
          int number = 2 * group + half;
          int high = Blocks.unsigned(source, at + 66 + number / 8) >> number % 8 & 1;
          int entry = Blocks.unsigned(source, at + 2 + number) | high << 8;
          four(Codebook.IQ3_S, entry, signs >> 4 * half, target, to + 4 * half);
        }
      }
      case IQ1_S -> {
        int high = source.get(Blocks.SHORT, at + 34 + 2 * (group / 4));
        int entry = Blocks.unsigned(source, at + 2 + group) | (high >> 3 * (group % 4) & 7) << 8;
        shifted(entry, high < 0, target, to);
      }
      case IQ1_M -> {
        int high = nibble(source, at + 32, group);
        shifted(Blocks.unsigned(source, at + group) | (high & 7) << 8, high > 7, target, to);
      }
      default -> throw new IllegalArgumentException(type.toString());
    }
  }

  private static int nibble(MemorySegment source, long at, int number) {
    return Blocks.unsigned(source, at + number / 2) >> 4 * (number % 2) & 15;
  }

  /** Seven signs, and the eighth that makes an even number of them negative. */
  private static int even(int signs) {
    int seven = signs & 127;
    return seven | (Integer.bitCount(seven) & 1) << 7;
  }

  private static void eight(Codebook codebook, int entry, int signs, float[] target, int to) {
    signed(codebook, 8 * entry, 8, signs, target, to);
  }

  private static void four(Codebook codebook, int entry, int signs, float[] target, int to) {
    signed(codebook, 4 * entry, 4, signs, target, to);
  }

  private static void signed(
      Codebook codebook, int first, int count, int signs, float[] target, int to) {
    for (int i = 0; i < count; i++) {
      int level = codebook.level(first + i);
      target[to + i] = (signs >> i & 1) == 0 ? level : -level;
    }
  }

  /** Eighths. */
  private static void shifted(int entry, boolean isLess, float[] target, int to) {
    for (int i = 0; i < GROUP; i++) {
      target[to + i] = 8 * Codebook.IQ1.level(GROUP * entry + i) + (isLess ? -1 : 1);
    }
  }
}
