package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.SmallBlockDecoding.BLOCK;
import static dev.kancil.backend.cpu.SmallBlockDecoding.withFifthBits;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * One row of blocks of 32 times x: {@code Σ d (Σ q x) + Σ m (Σ x)}, the scale applied once for a
 * block's lanes and the minimum, or the -8 d or -16 d in its place, once for its sum of x.
 */
final class SmallBlockDots {
  private SmallBlockDots() {}

  private static FloatVector x(float[] x, int at) {
    return FloatVector.fromArray(FLOATS, x, at);
  }

  /** Q4_0, or Q4_1 where blocks have a minimum. */
  static float nibbles(
      MemorySegment source, long at, float[] x, float[] sums, int columns, boolean minimum) {
    int header = minimum ? 4 : 2;
    long block = at;
    FloatVector sum = FloatVector.zero(FLOATS);
    float offsets = 0;
    for (int i = 0; i < columns; i += BLOCK) {
      float d = Lanes.half(source, block);
      float m = minimum ? Lanes.half(source, block + 2) : -8 * d;
      FloatVector scale = FloatVector.broadcast(FLOATS, d);
      for (int j = 0; j < BLOCK / 2; j += LENGTH) {
        IntVector q = Lanes.unsigned(source, block + header + j);
        int first = i + j;
        FloatVector products = Lanes.toFloat(q.and(15)).mul(x(x, first));
        products =
            Lanes.toFloat(q.lanewise(VectorOperators.LSHR, 4))
                .fma(x(x, first + BLOCK / 2), products);
        sum = products.fma(scale, sum);
      }
      offsets = Math.fma(m, sums[i / 16] + sums[i / 16 + 1], offsets);
      block += header + BLOCK / 2;
    }
    return Lanes.sum(sum) + offsets;
  }

  /** Q5_0, or Q5_1 where blocks have a minimum. */
  static float fives(
      MemorySegment source, long at, float[] x, float[] sums, int columns, boolean minimum) {
    int header = minimum ? 8 : 6;
    long block = at;
    FloatVector sum = FloatVector.zero(FLOATS);
    float offsets = 0;
    for (int i = 0; i < columns; i += BLOCK) {
      float d = Lanes.half(source, block);
      float m = minimum ? Lanes.half(source, block + 2) : -16 * d;
      int fifths = source.get(Lanes.INT, block + header - 4);
      FloatVector scale = FloatVector.broadcast(FLOATS, d);
      for (int j = 0; j < BLOCK / 2; j += LENGTH) {
        IntVector q = Lanes.unsigned(source, block + header + j);
        FloatVector products = Lanes.toFloat(withFifthBits(q.and(15), fifths, j)).mul(x(x, i + j));
        products =
            Lanes.toFloat(withFifthBits(q.lanewise(VectorOperators.LSHR, 4), fifths >>> 16, j))
                .fma(x(x, i + j + BLOCK / 2), products);
        sum = products.fma(scale, sum);
      }
      offsets = Math.fma(m, sums[i / 16] + sums[i / 16 + 1], offsets);
      block += header + BLOCK / 2;
    }
    return Lanes.sum(sum) + offsets;
  }

  /** Q8_0. */
  static float bytes(MemorySegment source, long at, float[] x, int columns) {
    long block = at;
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < columns; i += BLOCK) {
      FloatVector scale = FloatVector.broadcast(FLOATS, Lanes.half(source, block));
      FloatVector products = FloatVector.zero(FLOATS);
      for (int j = 0; j < BLOCK; j += LENGTH) {
        products = Lanes.signedFloats(source, block + 2 + j).fma(x(x, i + j), products);
      }
      sum = products.fma(scale, sum);
      block += BLOCK + 2;
    }
    return Lanes.sum(sum);
  }

  /** SCALED_F8. */
  static float eightBitFloats(MemorySegment source, long at, float[] x, int columns) {
    long block = at;
    FloatVector sum = FloatVector.zero(FLOATS);
    for (int i = 0; i < columns; i += BLOCK) {
      FloatVector scale = FloatVector.broadcast(FLOATS, Lanes.single(source, block));
      FloatVector products = FloatVector.zero(FLOATS);
      for (int j = 0; j < BLOCK; j += LENGTH) {
        products = Lanes.eightBitFloats(source, block + 4 + j).fma(x(x, i + j), products);
      }
      sum = products.fma(scale, sum);
      block += BLOCK + 4;
    }
    return Lanes.sum(sum);
  }
}
