package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.INTS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Blocks of 32: 16 bytes hold element i in the low and element i + 16 in the high half of byte i,
 * so one widened load gives two runs of elements. Each element is {@code d · q + m}; formats
 * without a minimum have {@code m = -8 d} or {@code -16 d}.
 */
final class SmallBlockDecoding {
  /** Elements of a block. */
  static final int BLOCK = 32;

  /** Bit numbers 0 to 15, to spread the fifth bits over lanes. */
  static final int[] BITS = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

  private SmallBlockDecoding() {}

  /** Q4_0, or Q4_1 where blocks have a minimum. */
  static void nibbles(
      MemorySegment source, long at, float[] target, int to, int elements, boolean minimum) {
    int header = minimum ? 4 : 2;
    long block = at;
    for (int i = to; i < to + elements; i += BLOCK) {
      float d = Lanes.half(source, block);
      float m = minimum ? Lanes.half(source, block + 2) : -8 * d;
      FloatVector scale = FloatVector.broadcast(FLOATS, d);
      FloatVector offset = FloatVector.broadcast(FLOATS, m);
      for (int j = 0; j < BLOCK / 2; j += LENGTH) {
        IntVector q = Lanes.unsigned(source, block + header + j);
        int first = i + j;
        Lanes.toFloat(q.and(15)).fma(scale, offset).intoArray(target, first);
        Lanes.toFloat(q.lanewise(VectorOperators.LSHR, 4))
            .fma(scale, offset)
            .intoArray(target, first + BLOCK / 2);
      }
      block += header + BLOCK / 2;
    }
  }

  /** Q5_0, or Q5_1 where blocks have a minimum. */
  static void fives(
      MemorySegment source, long at, float[] target, int to, int elements, boolean minimum) {
    int header = minimum ? 8 : 6;
    long block = at;
    for (int i = to; i < to + elements; i += BLOCK) {
      float d = Lanes.half(source, block);
      float m = minimum ? Lanes.half(source, block + 2) : -16 * d;
      int fifths = source.get(Lanes.INT, block + header - 4);
      FloatVector scale = FloatVector.broadcast(FLOATS, d);
      FloatVector offset = FloatVector.broadcast(FLOATS, m);
      for (int j = 0; j < BLOCK / 2; j += LENGTH) {
        IntVector q = Lanes.unsigned(source, block + header + j);
        Lanes.toFloat(withFifthBits(q.and(15), fifths, j))
            .fma(scale, offset)
            .intoArray(target, i + j);
        Lanes.toFloat(withFifthBits(q.lanewise(VectorOperators.LSHR, 4), fifths >>> 16, j))
            .fma(scale, offset)
            .intoArray(target, i + j + BLOCK / 2);
      }
      block += header + BLOCK / 2;
    }
  }

  /**
   * Adds bit {@code first + lane} of {@code bits} as the 16 of a five-bit number. Where lanes have
   * mask registers the bits are the mask.
   */
  static IntVector withFifthBits(IntVector q, int bits, int first) {
    if (LENGTH == 16) {
      return q.lanewise(VectorOperators.OR, 16, VectorMask.fromLong(INTS, bits & 0xffff));
    }
    return q.or(
        IntVector.broadcast(INTS, bits)
            .lanewise(VectorOperators.LSHR, IntVector.fromArray(INTS, BITS, first))
            .and(1)
            .lanewise(VectorOperators.LSHL, 4));
  }

  /** Q8_0. */
  static void bytes(MemorySegment source, long at, float[] target, int to, int elements) {
    long block = at;
    for (int i = to; i < to + elements; i += BLOCK) {
      FloatVector scale = FloatVector.broadcast(FLOATS, Lanes.half(source, block));
      for (int j = 0; j < BLOCK; j += LENGTH) {
        Lanes.signedFloats(source, block + 2 + j).mul(scale).intoArray(target, i + j);
      }
      block += BLOCK + 2;
    }
  }

  /** SCALED_F8. */
  static void eightBitFloats(MemorySegment source, long at, float[] target, int to, int elements) {
    long block = at;
    for (int i = to; i < to + elements; i += BLOCK) {
      FloatVector scale = FloatVector.broadcast(FLOATS, Lanes.single(source, block));
      for (int j = 0; j < BLOCK; j += LENGTH) {
        Lanes.eightBitFloats(source, block + 4 + j).mul(scale).intoArray(target, i + j);
      }
      block += BLOCK + 4;
    }
  }
}
