package dev.kancil.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Decodes and encodes elements of every {@link DataType}, plainly: the definition of the formats
 * that fast kernels are held to.
 */
public final class Blocks {
  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final float MOST_E4M3 = 448;

  private Blocks() {}

  /**
   * Decodes whole blocks to float32.
   *
   * @param source where the blocks are
   * @param offset of the first block, in bytes
   * @param elements how many; a multiple of the type's block
   */
  public static void decode(
      DataType type,
      MemorySegment source,
      long offset,
      float[] target,
      int targetOffset,
      int elements) {
    long bytes = type.byteSize(elements);
    java.util.Objects.checkFromIndexSize(offset, bytes, source.byteSize());
    java.util.Objects.checkFromIndexSize(targetOffset, elements, target.length);
    int blocks = elements / type.blockElements();
    for (int i = 0; i < blocks; i++) {
      long at = offset + (long) i * type.blockBytes();
      int to = targetOffset + i * type.blockElements();
      switch (type) {
        case F32 -> target[to] = source.get(FLOAT, at);
        case F16 -> target[to] = half(source, at);
        case BF16 -> target[to] = Float.intBitsToFloat(source.get(SHORT, at) << 16);
        case F64 -> target[to] = (float) source.get(DOUBLE, at);
        case F8_E4M3 -> target[to] = e4m3(source.get(ValueLayout.JAVA_BYTE, at));
        case F8_E5M2 -> target[to] = Float.float16ToFloat((short) (unsigned(source, at) << 8));
        case I8 -> target[to] = source.get(ValueLayout.JAVA_BYTE, at);
        case I16 -> target[to] = source.get(SHORT, at);
        case I32 -> target[to] = source.get(INT, at);
        case I64 -> target[to] = source.get(LONG, at);
        case Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, IQ4_NL, MXFP4, NVFP4, SCALED_F8 ->
            SmallBlocks.decode(type, source, at, target, to);
        case Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, Q8_K, IQ4_XS ->
            SuperBlocks.decode(type, source, at, target, to);
        case IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S ->
            CodebookBlocks.decode(type, source, at, target, to);
        case TQ1_0, TQ2_0 -> TernaryBlocks.decode(type, source, at, target, to);
      }
    }
  }

  /** All elements of a tensor. */
  public static float[] decode(Tensor tensor) {
    float[] decoded = new float[Math.toIntExact(tensor.shape().elements())];
    decode(tensor.type(), tensor.data(), 0, decoded, 0, decoded.length);
    return decoded;
  }

  /**
   * Encodes float32 as one of the types that caches use: F32, F16, BF16, F8_E4M3 or Q8_0, each
   * element rounded to the nearest.
   *
   * @throws IllegalArgumentException for other types
   */
  public static void encode(
      DataType type,
      float[] source,
      int sourceOffset,
      MemorySegment target,
      long offset,
      int elements) {
    long bytes = type.byteSize(elements);
    java.util.Objects.checkFromIndexSize(offset, bytes, target.byteSize());
    int blocks = elements / type.blockElements();
    for (int i = 0; i < blocks; i++) {
      long at = offset + (long) i * type.blockBytes();
      int from = sourceOffset + i * type.blockElements();
      switch (type) {
        case F32 -> target.set(FLOAT, at, source[from]);
        case F16 -> target.set(SHORT, at, Float.floatToFloat16(source[from]));
        case BF16 -> target.set(SHORT, at, toBFloat16(source[from]));
        case F8_E4M3 -> target.set(ValueLayout.JAVA_BYTE, at, toE4M3(source[from]));
        case Q8_0 -> SmallBlocks.encodeQ8(source, from, target, at);
        default -> throw new IllegalArgumentException("can't encode " + type);
      }
    }
  }

  /**
   * Writes a block of Q4_0, Q5_0 or Q8_0 whose elements are whole numbers times a scale.
   *
   * @param scale bits of a half-precision number
   * @param quants 32 of them, from -8 to 7, -16 to 15 or -128 to 127
   * @throws IllegalArgumentException for other types
   */
  public static void pack(
      DataType type, short scale, byte[] quants, MemorySegment target, long at) {
    java.util.Objects.checkFromIndexSize(at, type.blockBytes(), target.byteSize());
    SmallBlocks.pack(type, scale, quants, target, at);
  }

  /** Rounds to the nearest bfloat16, ties to even; NaN stays NaN. */
  public static short toBFloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  /**
   * Rounds to the nearest number of E4M3, ties to even. What is beyond the largest, 448, infinity
   * included, becomes that; NaN, whatever its sign, becomes 0x7f.
   */
  public static byte toE4M3(float value) {
    if (Float.isNaN(value)) {
      return 0x7f;
    }
    float size = Math.min(Math.abs(value), MOST_E4M3);
    int bits = Float.floatToRawIntBits(size);
    // The last place of 2^14 in float32 is that of subnormal numbers here, so the sum rounds.
    int rounded =
        size < 0x1p-6f
            ? Float.floatToRawIntBits(size + 0x1p14f) - Float.floatToRawIntBits(0x1p14f)
            : bits - (120 << 23) + 0x7ffff + (bits >>> 20 & 1) >>> 20;
    return (byte) (Float.floatToRawIntBits(value) >>> 24 & 0x80 | rounded);
  }

  /** An eight-bit float of the OCP's: no infinities, and NaN where all other bits are ones. */
  private static float e4m3(byte bits) {
    int magnitude = bits & 0x7f;
    return magnitude == 0x7f ? Float.NaN : Math.copySign(SmallBlocks.e4m3(magnitude), (float) bits);
  }

  static float half(MemorySegment source, long at) {
    return Float.float16ToFloat(source.get(SHORT, at));
  }

  static int unsigned(MemorySegment source, long at) {
    return source.get(ValueLayout.JAVA_BYTE, at) & 0xff;
  }
}
