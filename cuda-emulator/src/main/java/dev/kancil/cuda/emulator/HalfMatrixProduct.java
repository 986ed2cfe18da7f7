package dev.kancil.cuda.emulator;

/**
 * {@code mma} of halves with sums in single precision (PTX ISA, "Matrix Fragments for mma.m16n8k8"
 * and "mma.m16n8k16"): D[16, 8] = A[16, depth] · B[depth, 8] + C[16, 8]. Each lane holds pairs of A
 * along a row, of B along a column, and of C and D along a row.
 *
 * <p>Products are exact. They are added to C's element one by one in the order of their columns,
 * each sum rounded to the nearest float; a GPU adds several at once, in an order and with a
 * rounding that nobody has written down. Subnormal numbers count fully.
 */
final class HalfMatrixProduct extends Instruction {
  private static final int COLUMNS = 8;

  private final HalfFormat format;
  private final int depth;
  private final int[] d;
  private final int[] a;
  private final int[] b;
  private final int[] c;

  /**
   * @param d the rows of the result's four registers
   * @param a of the left matrix, one for each 8 × 8 elements: first the upper, then the lower half
   * @param b of the right matrix, one for each 8 × 8 elements
   */
  HalfMatrixProduct(HalfFormat format, int depth, int[] d, int[] a, int[] b, int[] c) {
    this.format = format;
    this.depth = depth;
    this.d = d;
    this.a = a;
    this.b = b;
    this.c = c;
  }

  @Override
  void run(Warp warp, int mask) {
    if (!warp.gatherAll(mask, this)) {
      return;
    }
    MatrixTiles tiles = warp.block.tiles();
    for (int i = 0; i < a.length; i++) {
      int first = (i & 1) * 8 * depth + (i >> 1) * 8;
      unpackLeft(format, warp.ints[a[i]], tiles.left, first, depth);
    }
    for (int i = 0; i < b.length; i++) {
      unpackRight(warp.ints[b[i]], tiles.right, i * 8 * COLUMNS);
    }
    for (int i = 0; i < c.length; i++) {
      start(warp.ints[c[i]], tiles.sums, MatrixTiles.firstSum(i));
    }
    multiply(tiles.left, tiles.right, tiles.sums, depth);
    for (int i = 0; i < d.length; i++) {
      keep(tiles.sums, warp.ints[d[i]], MatrixTiles.firstSum(i));
    }
  }

  /** Pairs of a register become elements of rows of {@code depth}. */
  static void unpackLeft(HalfFormat format, int[] row, float[] left, int first, int depth) {
    boolean isHalf = format == HalfFormat.F16;
    for (int lane = 0; lane < Warp.LANES; lane++) {
      int pair = row[lane];
      int at = first + (lane >> 2) * depth + (lane & 3) * 2;
      left[at] = isHalf ? Float.float16ToFloat((short) pair) : Float.intBitsToFloat(pair << 16);
      left[at + 1] =
          isHalf
              ? Float.float16ToFloat((short) (pair >>> 16))
              : Float.intBitsToFloat(pair & 0xffff_0000);
    }
  }

  private void unpackRight(int[] row, float[] right, int first) {
    boolean isHalf = format == HalfFormat.F16;
    for (int lane = 0; lane < Warp.LANES; lane++) {
      int pair = row[lane];
      int at = first + (lane & 3) * 2 * COLUMNS + (lane >> 2);
      right[at] = isHalf ? Float.float16ToFloat((short) pair) : Float.intBitsToFloat(pair << 16);
      right[at + COLUMNS] =
          isHalf
              ? Float.float16ToFloat((short) (pair >>> 16))
              : Float.intBitsToFloat(pair & 0xffff_0000);
    }
  }

  private static void start(int[] row, float[] sums, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      sums[first + 2 * lane] = Float.intBitsToFloat(row[lane]);
    }
  }

  private static void keep(float[] sums, int[] row, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      row[lane] = Float.floatToRawIntBits(sums[first + 2 * lane]);
    }
  }

  /** Rows of eight sums, which stay in registers. */
  private static void multiply(float[] left, float[] right, float[] sums, int depth) {
    for (int row = 0; row < 16; row++) {
      int to = row * COLUMNS;
      float s0 = sums[to];
      float s1 = sums[to + 1];
      float s2 = sums[to + 2];
      float s3 = sums[to + 3];
      float s4 = sums[to + 4];
      float s5 = sums[to + 5];
      float s6 = sums[to + 6];
      float s7 = sums[to + 7];
      for (int k = 0; k < depth; k++) {
        float x = left[row * depth + k];
        int at = k * COLUMNS;
        s0 += x * right[at];
        s1 += x * right[at + 1];
        s2 += x * right[at + 2];
        s3 += x * right[at + 3];
        s4 += x * right[at + 4];
        s5 += x * right[at + 5];
        s6 += x * right[at + 6];
        s7 += x * right[at + 7];
      }
      sums[to] = s0;
      sums[to + 1] = s1;
      sums[to + 2] = s2;
      sums[to + 3] = s3;
      sums[to + 4] = s4;
      sums[to + 5] = s5;
      sums[to + 6] = s6;
      sums[to + 7] = s7;
    }
  }
}
