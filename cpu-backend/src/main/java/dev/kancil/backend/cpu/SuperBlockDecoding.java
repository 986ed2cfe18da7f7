package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Blocks of 256. In Q4_K and Q5_K eight sub-blocks of 32 have a six-bit scale and minimum each; 32
 * bytes hold sub-block 2j in their low and 2j + 1 in their high halves. In Q6_K sixteen sub-blocks
 * of 16 have a signed byte each.
 *
 * <p>The twelve bytes of six-bit scales are unpacked four at a time, a byte each, into one long of
 * scales and one of minima.
 */
final class SuperBlockDecoding {
  /** Elements of a block. */
  static final int BLOCK = 256;

  static final int Q4_BYTES = 144;
  static final int Q5_BYTES = 176;
  static final int Q6_BYTES = 210;

  private SuperBlockDecoding() {}

  /** Scales of the eight sub-blocks, a byte each, from the twelve packed bytes at {@code at}. */
  static long scales(MemorySegment source, long at) {
    int first = source.get(Lanes.INT, at);
    int last = source.get(Lanes.INT, at + 8);
    int high = last & 0x0f0f0f0f | first >>> 2 & 0x30303030;
    return (long) high << 32 | first & 0x3f3f3f3f;
  }

  /** Minima of the eight sub-blocks. */
  static long minima(MemorySegment source, long at) {
    int middle = source.get(Lanes.INT, at + 4);
    int last = source.get(Lanes.INT, at + 8);
    int high = last >>> 4 & 0x0f0f0f0f | middle >>> 2 & 0x30303030;
    return (long) high << 32 | middle & 0x3f3f3f3f;
  }

  /** Byte {@code index} of eight packed ones. */
  static int part(long packed, int index) {
    return (int) (packed >>> 8 * index) & 0xff;
  }

  /** Q4_K. */
  static void fours(MemorySegment source, long at, float[] target, int to, int elements) {
    long block = at;
    for (int i = to; i < to + elements; i += BLOCK) {
      float d = Lanes.half(source, block);
      float dmin = Lanes.half(source, block + 2);
      long scales = scales(source, block + 4);
      long minima = minima(source, block + 4);
      for (int sub = 0; sub < 8; sub += 2) {
        FloatVector low = FloatVector.broadcast(FLOATS, d * part(scales, sub));
        FloatVector high = FloatVector.broadcast(FLOATS, d * part(scales, sub + 1));
        FloatVector lowMin = FloatVector.broadcast(FLOATS, -dmin * part(minima, sub));
        FloatVector highMin = FloatVector.broadcast(FLOATS, -dmin * part(minima, sub + 1));
        for (int j = 0; j < 32; j += LENGTH) {
          IntVector q = Lanes.unsigned(source, block + 16 + 16 * sub + j);
          int first = i + 32 * sub + j;
          Lanes.toFloat(q.and(15)).fma(low, lowMin).intoArray(target, first);
          Lanes.toFloat(q.lanewise(VectorOperators.LSHR, 4))
              .fma(high, highMin)
              .intoArray(target, first + 32);
        }
      }
      block += Q4_BYTES;
    }
  }

  /** Q5_K: bit {@code sub} of byte i of the 32 at 16 is the fifth bit of that sub-block's i. */
  static void fives(MemorySegment source, long at, float[] target, int to, int elements) {
    long block = at;
    for (int i = to; i < to + elements; i += BLOCK) {
      float d = Lanes.half(source, block);
      float dmin = Lanes.half(source, block + 2);
      long scales = scales(source, block + 4);
      long minima = minima(source, block + 4);
      for (int sub = 0; sub < 8; sub += 2) {
        FloatVector low = FloatVector.broadcast(FLOATS, d * part(scales, sub));
        FloatVector high = FloatVector.broadcast(FLOATS, d * part(scales, sub + 1));
        FloatVector lowMin = FloatVector.broadcast(FLOATS, -dmin * part(minima, sub));
        FloatVector highMin = FloatVector.broadcast(FLOATS, -dmin * part(minima, sub + 1));
        for (int j = 0; j < 32; j += LENGTH) {
          IntVector q = Lanes.unsigned(source, block + 48 + 16 * sub + j);
          IntVector fifth =
              Lanes.unsigned(source, block + 16 + j).lanewise(VectorOperators.LSHR, sub);
          int first = i + 32 * sub + j;
          Lanes.toFloat(q.and(15).or(fifth.and(1).lanewise(VectorOperators.LSHL, 4)))
              .fma(low, lowMin)
              .intoArray(target, first);
          Lanes.toFloat(
                  q.lanewise(VectorOperators.LSHR, 4)
                      .or(fifth.and(2).lanewise(VectorOperators.LSHL, 3)))
              .fma(high, highMin)
              .intoArray(target, first + 32);
        }
      }
      block += Q5_BYTES;
    }
  }

  /**
   * Q6_K: each half of 128 elements has four runs of 32; the low four bits of runs r and r + 2
   * share 32 bytes, and the high two bits of all four runs share 32 bytes. The loop's body holds
   * one such pair, since C2 gives up inlining in larger ones.
   */
  static void sixes(MemorySegment source, long at, float[] target, int to, int elements) {
    long block = at;
    for (int i = to; i < to + elements; i += BLOCK) {
      float d = Lanes.half(source, block + 208);
      for (int pair = 0; pair < 4; pair++) {
        int half = pair >> 1;
        int run = pair & 1;
        long scales = source.get(Lanes.LONG, block + 192 + 8 * half) >>> 16 * run;
        for (int j = 0; j < 32; j += LENGTH) {
          long scale = scales >>> 8 * (j / 16);
          IntVector q = Lanes.unsigned(source, block + 32 * pair + j);
          IntVector h =
              Lanes.unsigned(source, block + 128 + 32 * half + j)
                  .lanewise(VectorOperators.LSHR, 2 * run);
          int first = i + 128 * half + 32 * run + j;
          six(q.and(15), h.and(3).lanewise(VectorOperators.LSHL, 4))
              .mul(d * (byte) scale)
              .intoArray(target, first);
          six(q.lanewise(VectorOperators.LSHR, 4), h.and(48))
              .mul(d * (byte) (scale >>> 32))
              .intoArray(target, first + 64);
        }
      }
      block += Q6_BYTES;
    }
  }

  /** Six bits, of which 32 is taken off. */
  static FloatVector six(IntVector low, IntVector high) {
    return Lanes.toFloat(low.or(high).sub(32));
  }
}
