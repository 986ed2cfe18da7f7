package dev.kancil.cuda.emulator;

/** Where a block's matrix products unpack their operands; nothing stays from one to the next. */
final class MatrixTiles {
  /** Rows of the left matrix, one after the other; the widest has 16 columns. */
  final float[] left = new float[16 * 16];

  /** Rows of the right matrix, of 8 columns. */
  final float[] right = new float[16 * 8];

  final float[] sums = new float[16 * 8];

  /** As {@link #left}, with 32 columns at most. */
  final int[] leftBytes = new int[16 * 32];

  /** As {@link #right}. */
  final int[] rightBytes = new int[32 * 8];

  final long[] longSums = new long[16 * 8];

  /** Rows of the right matrix of a warpgroup, of up to 256 columns. */
  final float[][] wideRight = new float[16][256];

  final float[][] wideSums = new float[16][256];

  /** A column of it. */
  final float[] line = new float[16];

  /**
   * Where lane 0's element of a register of C or D lies among the rows of 8 sums; each further
   * lane's lies two later.
   */
  static int firstSum(int register) {
    return (register >> 1) * 64 + (register & 1);
  }
}
