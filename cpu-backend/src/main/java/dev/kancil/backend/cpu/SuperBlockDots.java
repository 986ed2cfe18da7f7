package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.SuperBlockDecoding.BLOCK;
import static dev.kancil.backend.cpu.SuperBlockDecoding.part;

import java.lang.foreign.MemorySegment;
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

  /** {@code Σ minimum · Σ x} over the eight sub-blocks. */
  private static float weigh(long minima, float[] sums, int from) {
    float sum = 0;
    for (int sub = 0; sub < 8; sub++) {
      int s = from + 2 * sub;
      sum = Math.fma(part(minima, sub), sums[s] + sums[s + 1], sum);
    }
    return sum;
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
      offsets = Math.fma(-dmin, weigh(minima, sums, i / 16), offsets);
      for (int sub = 0; sub < 8; sub += 2) {
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = low;
        for (int j = 0; j < 32; j += LENGTH) {
          IntVector q = Lanes.unsigned(source, block + 16 + 16 * sub + j);
          int first = i + 32 * sub + j;
          low = Lanes.toFloat(q.and(15)).fma(x(x, first), low);
          high = Lanes.toFloat(q.lanewise(VectorOperators.LSHR, 4)).fma(x(x, first + 32), high);
        }
        lowSum = low.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub)), lowSum);
        highSum = high.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub + 1)), highSum);
      }
      block += SuperBlockDecoding.Q4_BYTES;
    }
    return Lanes.sum(lowSum.add(highSum)) + offsets;
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
      offsets = Math.fma(-dmin, weigh(minima, sums, i / 16), offsets);
      for (int sub = 0; sub < 8; sub += 2) {
        FloatVector low = FloatVector.zero(FLOATS);
        FloatVector high = low;
        for (int j = 0; j < 32; j += LENGTH) {
          IntVector q = Lanes.unsigned(source, block + 48 + 16 * sub + j);
          int first = i + 32 * sub + j;
          IntVector fifth =
              Lanes.unsigned(source, block + 16 + j).lanewise(VectorOperators.LSHR, sub);
          IntVector lows = q.and(15).or(fifth.and(1).lanewise(VectorOperators.LSHL, 4));
          IntVector highs =
              q.lanewise(VectorOperators.LSHR, 4)
                  .or(fifth.and(2).lanewise(VectorOperators.LSHL, 3));
          low = Lanes.toFloat(lows).fma(x(x, first), low);
          high = Lanes.toFloat(highs).fma(x(x, first + 32), high);
        }
        lowSum = low.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub)), lowSum);
        highSum = high.fma(FloatVector.broadcast(FLOATS, d * part(scales, sub + 1)), highSum);
      }
      block += SuperBlockDecoding.Q5_BYTES;
    }
    return Lanes.sum(lowSum.add(highSum)) + offsets;
  }

  /**
   * Q6_K: runs r and r + 2 of a half share bytes; each has its own scale for every 16 elements. The
   * loop's body holds 16 of each, since C2 gives up inlining in larger ones and keeps the shortest
   * loops as loops.
   */
  static float sixes(MemorySegment source, long at, float[] x, float[] sums, int columns) {
    long block = at;
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < columns; i += BLOCK) {
      float d = Lanes.half(source, block + 208);
      for (int piece = 0; piece < 8; piece++) {
        int half = piece >> 2;
        int run = piece >> 1 & 1;
        int from = i + 128 * half + 16 * (piece & 3);
        long scales = source.get(Lanes.LONG, block + 192 + 8 * half) >>> 8 * (piece & 3);
        FloatVector scale = FloatVector.broadcast(FLOATS, d * (byte) scales);
        FloatVector secondScale = FloatVector.broadcast(FLOATS, d * (byte) (scales >>> 32));
        for (int j = 0; j < 16; j += LENGTH) {
          IntVector q = Lanes.unsigned(source, block + 16 * piece + j);
          IntVector h =
              Lanes.unsigned(source, block + 128 + 32 * half + 16 * (piece & 1) + j)
                  .lanewise(VectorOperators.LSHR, 2 * run);
          int first = from + j;
          FloatVector products =
              SuperBlockDecoding.six(q.and(15), h.and(3).lanewise(VectorOperators.LSHL, 4))
                  .mul(x(x, first));
          sum = products.fma(scale, sum);
          products =
              SuperBlockDecoding.six(q.lanewise(VectorOperators.LSHR, 4), h.and(48))
                  .mul(x(x, first + 64));
          sum = products.fma(secondScale, sum);
        }
      }
      block += SuperBlockDecoding.Q6_BYTES;
    }
    return Lanes.sum(sum);
  }
}
