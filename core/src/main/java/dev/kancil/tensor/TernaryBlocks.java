package dev.kancil.tensor;

import java.lang.foreign.MemorySegment;

/**
 * Blocks of 256 elements that are -1, 0 or 1 times one scale.
 *
 * <pre>
 * TQ1_0  32 bytes of five elements, 16 of five, 4 of four; half d
 * TQ2_0  64 bytes of four elements of two bits; half d       x = d (q - 1)
 * </pre>
 *
 * Byte i of a run of n has elements i, i + n, i + 2n and so on. In TQ1_0 it is a fraction of 256
 * whose digits to base three are the elements, one more than they are.
 */
final class TernaryBlocks {
  private TernaryBlocks() {}

  static void decode(DataType type, MemorySegment source, long at, float[] target, int to) {
    float d = Blocks.half(source, at + type.blockBytes() - 2);
    for (int i = 0; i < type.blockElements(); i++) {
      // Adding 0 makes -0, which has no meaning here, 0, as in other types with d (q - c).
      target[to + i] = d * quant(type, source, at, i) + 0;
    }
  }

  /** From -1 to 1, or 2 where TQ2_0 has that. */
  static int quant(DataType type, MemorySegment source, long at, int i) {
    if (type == DataType.TQ2_0) {
      return (Blocks.unsigned(source, at + 32 * (i / 128) + i % 32) >> 2 * (i / 32 % 4) & 3) - 1;
    }
    if (i < 160) {
      return digit(Blocks.unsigned(source, at + i % 32), i / 32);
    }
    if (i < 240) {
      return digit(Blocks.unsigned(source, at + 32 + i % 16), (i - 160) / 16);
    }
    return digit(Blocks.unsigned(source, at + 48 + i % 4), (i - 240) / 4);
  }

  private static int digit(int fraction, int number) {
    int rest = fraction;
    for (int i = 0; i < number; i++) {
      rest = rest * 3 & 0xff;
    }
    return (rest * 3 >> 8) - 1;
  }
}
