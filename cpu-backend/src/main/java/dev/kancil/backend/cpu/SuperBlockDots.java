package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.BYTES_LENGTH;
import static dev.kancil.backend.cpu.Lanes.BYTE_PARTS;
import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.SuperBlockDecoding.BLOCK;
import static dev.kancil.backend.cpu.SuperBlockDecoding.part;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One row of blocks of 256 times x, laid out as {@link SuperBlockDecoding} says: scales are applied
 * once for a sub-block's lanes; minima, or Q6_K's offset of 32, once for a sub-block's sum of x.
 */
final class SuperBlockDots {
  private SuperBlockDots() {}

  private static FloatVector x(float[] x, int at) {
    return FloatVector.fromArray(FLOATS, x, at);
  }

  /** Q4_K. */
  static float fours(MemorySegment source, long at, float[] x, float[] sums, int columns) {
    long block = at;
    FloatVector lowSum = FloatVector.zero(FLOATS);
    FloatVector highSum = lowSum;
    float offsets = 0;
    for (int i = 0; i < columns; i += BLOCK) {
      float d = Lanes.half(source, block);
      float dmin = Lanes.half(source, block + 2);
      long scales = SuperBlockDecoding.scales(source, block + 4);
      long minima = SuperBlockDecoding.minima(source, block + 4);
      float blockOffsets = 0;
      for (int sub = 0; sub < 8; sub += 2) {
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = low;
        int from = i + 32 * sub;
        for (int j = 0; j < 32; j += BYTES_LENGTH) {
          ByteVector packed = Lanes.bytes(source, block + 16 + 16 * sub + j);
          for (int part = 0; part < BYTE_PARTS; part++) {
            IntVector q = Lanes.unsigned(packed, part);
            int first = from + j + part * LENGTH;
            low = Lanes.toFloat(q.and(15)).fma(x(x, first), low);
            high = Lanes.toFloat(q.lanewise(VectorOperators.LSHR, 4)).fma(x(x, first + 32), high);
          }
        }
        lowSum = low.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub)), lowSum);
        highSum = high.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub + 1)), highSum);
        int s = from / 16;
        blockOffsets = Math.fma(part(minima, sub), sums[s] + sums[s + 1], blockOffsets);
        blockOffsets = Math.fma(part(minima, sub + 1), sums[s + 2] + sums[s + 3], blockOffsets);
      }
      offsets = Math.fma(-dmin, blockOffsets, offsets);
      block += SuperBlockDecoding.Q4_BYTES;
    }
    return lowSum.add(highSum).reduceLanes(VectorOperators.ADD) + offsets;
  }

  /** Q5_K. */
  static float fives(MemorySegment source, long at, float[] x, float[] sums, int columns) {
    long block = at;
    FloatVector lowSum = FloatVector.zero(FLOATS);
    FloatVector highSum = lowSum;
    float offsets = 0;
    for (int i = 0; i < columns; i += BLOCK) {
      float d = Lanes.half(source, block);
      float dmin = Lanes.half(source, block + 2);
      long scales = SuperBlockDecoding.scales(source, block + 4);
      long minima = SuperBlockDecoding.minima(source, block + 4);
      float blockOffsets = 0;
      for (int sub = 0; sub < 8; sub += 2) {
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = low;
        int from = i + 32 * sub;
        for (int j = 0; j < 32; j += BYTES_LENGTH) {
          ByteVector packed = Lanes.bytes(source, block + 48 + 16 * sub + j);
          ByteVector fifths = Lanes.bytes(source, block + 16 + j);
          for (int part = 0; part < BYTE_PARTS; part++) {
            IntVector q = Lanes.unsigned(packed, part);
            IntVector fifth = Lanes.unsigned(fifths, part).lanewise(VectorOperators.LSHR, sub);
            int first = from + j + part * LENGTH;
            low =
                Lanes.toFloat(q.and(15).or(fifth.and(1).lanewise(VectorOperators.LSHL, 4)))
                    .fma(x(x, first), low);
            high =
                Lanes.toFloat(
                        q.lanewise(VectorOperators.LSHR, 4)
                            .or(fifth.and(2).lanewise(VectorOperators.LSHL, 3)))
                    .fma(x(x, first + 32), high);
          }
        }
        lowSum = low.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub)), lowSum);
        highSum = high.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub + 1)), highSum);
        int s = from / 16;
        blockOffsets = Math.fma(part(minima, sub), sums[s] + sums[s + 1], blockOffsets);
        blockOffsets = Math.fma(part(minima, sub + 1), sums[s + 2] + sums[s + 3], blockOffsets);
      }
      offsets = Math.fma(-dmin, blockOffsets, offsets);
      block += SuperBlockDecoding.Q5_BYTES;
    }
    return lowSum.add(highSum).reduceLanes(VectorOperators.ADD) + offsets;
  }

  /**
   * Q6_K: runs r and r + 2 of a half share bytes; each has its own scale for every 16 elements. One
   * such pair is all that the loop's body holds, since C2 gives up inlining in larger ones.
   */
  static float sixes(MemorySegment source, long at, float[] x, float[] sums, int columns) {
    long block = at;
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < columns; i += BLOCK) {
      float d = Lanes.half(source, block + 208);
      for (int pair = 0; pair < 4; pair++) {
        int half = pair >> 1;
        int run = pair & 1;
        long scales = source.get(Lanes.LONG, block + 192 + 8 * half) >>> 16 * run;
        for (int j = 0; j < 32; j += BYTES_LENGTH) {
          ByteVector low = Lanes.bytes(source, block + 32 * pair + j);
          ByteVector high = Lanes.bytes(source, block + 128 + 32 * half + j);
          long scale = scales >>> 8 * (j / 16);
          for (int part = 0; part < BYTE_PARTS; part++) {
            IntVector q = Lanes.unsigned(low, part);
            IntVector h = Lanes.unsigned(high, part).lanewise(VectorOperators.LSHR, 2 * run);
            int first = i + 128 * half + 32 * run + j + part * LENGTH;
            FloatVector products =
                SuperBlockDecoding.six(q.and(15), h.and(3).lanewise(VectorOperators.LSHL, 4))
                    .mul(x(x, first));
            sum = products.fma(FloatVector.broadcast(FLOATS, d * (byte) scale), sum);
            products =
                SuperBlockDecoding.six(q.lanewise(VectorOperators.LSHR, 4), h.and(48))
                    .mul(x(x, first + 64));
            sum = products.fma(FloatVector.broadcast(FLOATS, d * (byte) (scale >>> 32)), sum);
          }
        }
      }
      block += SuperBlockDecoding.Q6_BYTES;
    }
    return sum.reduceLanes(VectorOperators.ADD);
  }
}
