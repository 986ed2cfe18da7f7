package dev.kancil.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import java.util.Set;

/**
 * Encodes float32 so that each element becomes the nearest that its block's scale allows, and the
 * scale is that of the block's largest element: the simple way of quantising. Bits are those of
 * ggml's reference quantisers; the layouts are those of {@link SmallBlocks}.
 */
public final class RoundToNearest {
  /** What can be encoded. */
  public static final Set<DataType> TYPES =
      Set.of(
          DataType.F32,
          DataType.F16,
          DataType.BF16,
          DataType.Q8_0,
          DataType.Q4_0,
          DataType.Q4_1,
          DataType.Q5_0,
          DataType.Q5_1);

  private static final int ELEMENTS = 32;

  private RoundToNearest() {}

  /**
   * Encodes whole blocks.
   *
   * @param elements how many; a multiple of the type's block
   * @throws IllegalArgumentException for types other than {@link #TYPES}
   */
  public static void encode(
      DataType type,
      float[] source,
      int sourceOffset,
      MemorySegment target,
      long offset,
      int elements) {
    if (!TYPES.contains(type)) {
      throw new IllegalArgumentException("can't encode " + type);
    }
    Objects.checkFromIndexSize(sourceOffset, elements, source.length);
    Objects.checkFromIndexSize(offset, type.byteSize(elements), target.byteSize());
    if (!type.isQuantized()) {
      Blocks.encode(type, source, sourceOffset, target, offset, elements);
      return;
    }
    for (int i = 0; i < elements / type.blockElements(); i++) {
      int from = sourceOffset + i * type.blockElements();
      long at = offset + (long) i * type.blockBytes();
      switch (type) {
        case Q8_0 -> bytes(source, from, target, at);
        case Q4_0 -> around(source, from, target, at, 4);
        case Q4_1 -> above(source, from, target, at, 4);
        case Q5_0 -> around(source, from, target, at, 5);
        case Q5_1 -> above(source, from, target, at, 5);
        default -> throw new IllegalArgumentException("can't encode " + type);
      }
    }
  }

  private static void bytes(float[] source, int from, MemorySegment target, long at) {
    float largest = 0;
    for (int i = 0; i < ELEMENTS; i++) {
      largest = Math.max(largest, Math.abs(source[from + i]));
    }
    float scale = largest / 127;
    float inverse = scale == 0 ? 0 : 1 / scale;
    target.set(Blocks.SHORT, at, Float.floatToFloat16(scale));
    for (int i = 0; i < ELEMENTS; i++) {
      // Exact, so that what is just below a half is not rounded up; halves go away from zero.
      double scaled = source[from + i] * inverse;
      double rounded = Math.copySign(Math.floor(Math.abs(scaled) + 0.5), scaled);
      target.set(ValueLayout.JAVA_BYTE, at + 2 + i, (byte) rounded);
    }
  }

  /** Levels around zero, of which the lowest is that of the largest element. */
  private static void around(float[] source, int from, MemorySegment target, long at, int bits) {
    float largest = 0;
    for (int i = 0; i < ELEMENTS; i++) {
      float value = source[from + i];
      largest = Math.abs(value) > Math.abs(largest) ? value : largest;
    }
    int half = 1 << bits - 1;
    float scale = largest / -half;
    float inverse = scale == 0 ? 0 : 1 / scale;
    target.set(Blocks.SHORT, at, Float.floatToFloat16(scale));
    int[] levels = new int[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++) {
      levels[i] = (int) (source[from + i] * inverse + (half + 0.5f));
    }
    pack(levels, bits, target, at + 2);
  }

  /** Levels from the least element on. */
  private static void above(float[] source, int from, MemorySegment target, long at, int bits) {
    float least = Float.POSITIVE_INFINITY;
    float largest = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < ELEMENTS; i++) {
      least = Math.min(least, source[from + i]);
      largest = Math.max(largest, source[from + i]);
    }
    float scale = (largest - least) / ((1 << bits) - 1);
    float inverse = scale == 0 ? 0 : 1 / scale;
    target.set(Blocks.SHORT, at, Float.floatToFloat16(scale));
    target.set(Blocks.SHORT, at + 2, Float.floatToFloat16(least));
    int[] levels = new int[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++) {
      levels[i] = (int) ((source[from + i] - least) * inverse + 0.5f);
    }
    pack(levels, bits, target, at + 4);
  }

  private static void pack(int[] levels, int bits, MemorySegment target, long at) {
    int most = (1 << bits) - 1;
    int fifth = 0;
    for (int i = 0; i < ELEMENTS; i++) {
      levels[i] = Math.clamp(levels[i], 0, most);
      fifth |= (levels[i] >> 4) << i;
    }
    long packed = at;
    if (bits == 5) {
      target.set(Blocks.INT, at, fifth);
      packed += Integer.BYTES;
    }
    for (int i = 0; i < ELEMENTS / 2; i++) {
      int both = levels[i] & 15 | (levels[i + ELEMENTS / 2] & 15) << 4;
      target.set(ValueLayout.JAVA_BYTE, packed + i, (byte) both);
    }
  }
}
