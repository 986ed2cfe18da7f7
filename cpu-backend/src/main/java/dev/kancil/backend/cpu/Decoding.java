package dev.kancil.backend.cpu;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;

/**
 * Elements of any type to float32, as {@link Blocks#decode} defines it. Types without a vector
 * kernel go through that definition itself.
 */
final class Decoding {
  private Decoding() {}

  /**
   * Decodes whole blocks.
   *
   * @param at of the first block, in bytes
   * @param elements how many; a multiple of the type's block
   */
  static void decode(
      DataType type, MemorySegment source, long at, float[] target, int to, int elements) {
    switch (type) {
      case F32 -> PlainDecoding.f32(source, at, target, to, elements);
      case F16 -> PlainDecoding.f16(source, at, target, to, elements);
      case BF16 -> PlainDecoding.bf16(source, at, target, to, elements);
      case F8_E4M3 -> PlainDecoding.e4m3(source, at, target, to, elements);
      case Q4_0 -> SmallBlockDecoding.nibbles(source, at, target, to, elements, false);
      case Q4_1 -> SmallBlockDecoding.nibbles(source, at, target, to, elements, true);
      case Q5_0 -> SmallBlockDecoding.fives(source, at, target, to, elements, false);
      case Q5_1 -> SmallBlockDecoding.fives(source, at, target, to, elements, true);
      case Q8_0 -> SmallBlockDecoding.bytes(source, at, target, to, elements);
      case SCALED_F8 -> SmallBlockDecoding.eightBitFloats(source, at, target, to, elements);
      case Q4_K -> SuperBlockDecoding.fours(source, at, target, to, elements);
      case Q5_K -> SuperBlockDecoding.fives(source, at, target, to, elements);
      case Q6_K -> SuperBlockDecoding.sixes(source, at, target, to, elements);
      default -> Blocks.decode(type, source, at, target, to, elements);
    }
  }
}
