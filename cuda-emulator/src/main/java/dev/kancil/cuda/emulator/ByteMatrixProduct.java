package dev.kancil.cuda.emulator;

/**
 * {@code mma} of bytes with sums of 32 bits (PTX ISA, "Matrix Fragments for mma.m8n8k16",
 * "mma.m16n8k16" and "mma.m16n8k32"): D[rows, 8] = A[rows, depth] · B[depth, 8] + C[rows, 8]. Each
 * lane holds four bytes of A along a row and of B along a column. Sums wrap around, or are clamped
 * where the instruction says {@code .satfinite}.
 */
final class ByteMatrixProduct extends Instruction {
  private static final int COLUMNS = 8;

  private final boolean leftSigned;
  private final boolean rightSigned;
  private final boolean saturates;
  private final int rows;
  private final int depth;
  private final int[] d;
  private final int[] a;
  private final int[] b;
  private final int[] c;

  /**
   * @param d the rows of the result's registers
   * @param a of the left matrix, one for each 8 × 16 elements: first the upper, then the lower half
   * @param b of the right matrix, one for each 16 × 8 elements
   */
  ByteMatrixProduct(
      boolean leftSigned,
      boolean rightSigned,
      boolean saturates,
      int rows,
      int depth,
      int[] d,
      int[] a,
      int[] b,
      int[] c) {
    this.leftSigned = leftSigned;
    this.rightSigned = rightSigned;
    this.saturates = saturates;
    this.rows = rows;
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
      unpackLeft(warp.ints[a[i]], tiles.leftBytes, (i & 1) * 8 * depth + (i >> 1) * 16);
    }
    for (int i = 0; i < b.length; i++) {
      unpackRight(warp.ints[b[i]], tiles.rightBytes, i * 16 * COLUMNS);
    }
    for (int i = 0; i < c.length; i++) {
      start(warp.ints[c[i]], tiles.longSums, MatrixTiles.firstSum(i));
    }
    multiply(tiles.leftBytes, tiles.rightBytes, tiles.longSums);
    for (int i = 0; i < d.length; i++) {
      keep(tiles.longSums, warp.ints[d[i]], MatrixTiles.firstSum(i));
    }
  }

  private static int unpacked(int word, int index, boolean signed) {
    int value = word >>> 8 * index & 0xff;
    return signed ? (byte) value : value;
  }

  private void unpackLeft(int[] row, int[] left, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      int at = first + (lane >> 2) * depth + (lane & 3) * 4;
      for (int i = 0; i < 4; i++) {
        left[at + i] = unpacked(row[lane], i, leftSigned);
      }
    }
  }

  private void unpackRight(int[] row, int[] right, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      int at = first + (lane & 3) * 4 * COLUMNS + (lane >> 2);
      for (int i = 0; i < 4; i++) {
        right[at + i * COLUMNS] = unpacked(row[lane], i, rightSigned);
      }
    }
  }

  private static void start(int[] row, long[] sums, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      sums[first + 2 * lane] = row[lane];
    }
  }

  private void keep(long[] sums, int[] row, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      long sum = sums[first + 2 * lane];
      row[lane] = saturates ? Math.clamp(sum, Integer.MIN_VALUE, Integer.MAX_VALUE) : (int) sum;
    }
  }

  /** The products of a row need 22 bits at most; C's element may need all of 32. */
  private void multiply(int[] left, int[] right, long[] sums) {
    for (int row = 0; row < rows; row++) {
      int s0 = 0;
      int s1 = 0;
      int s2 = 0;
      int s3 = 0;
      int s4 = 0;
      int s5 = 0;
      int s6 = 0;
      int s7 = 0;
      for (int k = 0; k < depth; k++) {
        int x = left[row * depth + k];
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
      int to = row * COLUMNS;
      sums[to] += s0;
      sums[to + 1] += s1;
      sums[to + 2] += s2;
      sums[to + 3] += s3;
      sums[to + 4] += s4;
      sums[to + 5] += s5;
      sums[to + 6] += s6;
      sums[to + 7] += s7;
    }
  }
}
