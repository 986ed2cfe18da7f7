package dev.kancil.tensor;

/**
 * How the elements of a tensor are stored: plain numbers, or blocks in which a few quantised
 * elements share scales. The block formats are those of GGUF, but for {@link #SCALED_F8}; their
 * layouts are documented where they are decoded.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">The GGUF
 *     specification</a>
 */
public enum DataType {
  F32(1, 4),
  F16(1, 2),
  BF16(1, 2),
  F64(1, 8),
  F8_E4M3(1, 1),
  F8_E5M2(1, 1),
  I8(1, 1),
  I16(1, 2),
  I32(1, 4),
  I64(1, 8),
  Q4_0(32, 18),
  Q4_1(32, 20),
  Q5_0(32, 22),
  Q5_1(32, 24),
  Q8_0(32, 34),
  Q2_K(256, 84),
  Q3_K(256, 110),
  Q4_K(256, 144),
  Q5_K(256, 176),
  Q6_K(256, 210),
  IQ4_NL(32, 18),
  IQ4_XS(256, 136),
  MXFP4(32, 17),
  NVFP4(64, 36),
  Q8_K(256, 292),
  IQ1_S(256, 50),
  IQ1_M(256, 56),
  IQ2_XXS(256, 66),
  IQ2_XS(256, 74),
  IQ2_S(256, 82),
  IQ3_XXS(256, 98),
  IQ3_S(256, 110),
  TQ1_0(256, 54),
  TQ2_0(256, 66),

  /** Kancil's own: what checkpoints of eight-bit floats become, which keep scales elsewhere. */
  SCALED_F8(32, 36);

  private final int blockElements;
  private final int blockBytes;

  DataType(int blockElements, int blockBytes) {
    this.blockElements = blockElements;
    this.blockBytes = blockBytes;
  }

  /** Elements in one block; 1 for plain numbers. */
  public int blockElements() {
    return blockElements;
  }

  /** Bytes of one block; the element's size for plain numbers. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Whether elements share scales in blocks. */
  public boolean isQuantized() {
    return blockElements > 1;
  }

  /**
   * Bytes that {@code elements} consecutive elements take.
   *
   * @throws IllegalArgumentException if the count is negative or no whole number of blocks
   * @throws ArithmeticException if the size does not fit in 64 bits
   */
  public long byteSize(long elements) {
    if (elements < 0 || elements % blockElements != 0) {
      throw new IllegalArgumentException(
          elements + " elements are no whole number of " + this + " blocks of " + blockElements);
    }
    return Math.multiplyExact(elements / blockElements, blockBytes);
  }
}
