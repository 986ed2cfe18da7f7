package dev.kancil.cuda.emulator;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@code wgmma.mma_async} of halves with sums in single precision (PTX ISA, "Matrix Fragments for
 * wgmma.mma_async.m64nNk16"): D[64, n] += A[64, 16] · B[16, n]. Each of the four warps has 16 rows
 * of A and D, in fragments as {@code mma} has them, one for 8 columns of D; B's columns are rows of
 * a {@link SharedMatrix}. Numbers are multiplied and added as {@link HalfMatrixProduct} does it.
 */
final class WarpgroupProduct extends Instruction {
  private static final int ROWS = 16;
  private static final int DEPTH = 16;

  /**
   * A: registers by their places among the kernel's, or the row of its descriptors.
   *
   * @param registers null if A lies in shared memory
   */
  record Left(int @Nullable [] registers, int descriptors) {}

  /** What a product has read, and reads until the warp has waited. */
  record Sources(int[][] registers, @Nullable SharedRows left, SharedRows right) {}

  private final HalfFormat format;
  private final int columns;
  private final int[] targets;
  private final Left left;
  private final int right;
  private final Form.Predicate adds;
  private final boolean negates;

  /**
   * @param targets the registers of D, by their places among the kernel's
   * @param right the row of B's descriptors
   * @param adds whether D's numbers count
   * @param negates whether products count negatively
   */
  WarpgroupProduct(
      HalfFormat format,
      int columns,
      int[] targets,
      Left left,
      int right,
      Form.Predicate adds,
      boolean negates) {
    this.format = format;
    this.columns = columns;
    this.targets = targets;
    this.left = left;
    this.right = right;
    this.adds = adds;
    this.negates = negates;
  }

  int[] targets() {
    return targets;
  }

  @Override
  void run(Warp warp, int mask) {
    if (!warp.gatherAll(mask, this)) {
      return;
    }
    long leftDescriptor = left.registers == null ? same(warp, left.descriptors) : 0;
    long rightDescriptor = same(warp, right);
    int added = adds.value(warp);
    if (added != 0 && added != -1) {
      throw WarpgroupProducts.fault(warp, this, "scale-d is not the same for all lanes");
    }
    warp.block
        .warpgroup(warp)
        .run(warp, new Warpgroup.Step(this, leftDescriptor, rightDescriptor, added));
    Sources sources =
        new Sources(
            readRegisters(warp),
            left.registers == null ? readShared(warp, leftDescriptor, 4 * ROWS) : null,
            readShared(warp, rightDescriptor, columns));
    warp.products.begin(warp, targets, this, sources);
    multiply(warp, sources, added != 0);
  }

  private long same(Warp warp, int row) {
    long[] descriptors = warp.longs[row];
    for (long descriptor : descriptors) {
      if (descriptor != descriptors[0]) {
        throw WarpgroupProducts.fault(
            warp, this, "the matrix descriptor is not the same for all lanes");
      }
    }
    return descriptors[0];
  }

  private int[][] readRegisters(Warp warp) {
    int[] registers = left.registers;
    if (registers == null) {
      return new int[0][];
    }
    int[][] values = new int[registers.length][];
    for (int i = 0; i < values.length; i++) {
      values[i] = warp.products.read(warp, registers[i], this).clone();
    }
    return values;
  }

  private SharedRows readShared(Warp warp, long descriptor, int rows) {
    SharedMatrix matrix;
    try {
      matrix = SharedMatrix.of(descriptor);
    } catch (IllegalArgumentException e) {
      throw WarpgroupProducts.fault(warp, this, String.valueOf(e.getMessage()));
    }
    return SharedRows.read(warp, this, matrix, rows);
  }

  /** The warp has waited. */
  void checkUnchanged(Warp warp, Sources sources) {
    if (left.registers != null) {
      for (int i = 0; i < left.registers.length; i++) {
        if (!Arrays.equals(warp.products.row(warp, left.registers[i]), sources.registers[i])) {
          throw WarpgroupProducts.fault(
              warp, this, "a register of A has changed before the warp waited");
        }
      }
    }
    if (sources.left != null) {
      sources.left.checkUnchanged(warp, this);
    }
    sources.right.checkUnchanged(warp, this);
  }

  private void multiply(Warp warp, Sources sources, boolean isSum) {
    MatrixTiles tiles = warp.block.tiles();
    unpackLeft(warp, sources, tiles.left);
    for (int column = 0; column < columns; column++) {
      sources.right.unpack(format, column, tiles.line, 0);
      for (int k = 0; k < DEPTH; k++) {
        tiles.wideRight[k][column] = tiles.line[k];
      }
    }
    exchange(warp, tiles.wideSums, true);
    for (int row = 0; row < ROWS; row++) {
      if (!isSum) {
        Arrays.fill(tiles.wideSums[row], 0, columns, 0);
      }
      for (int k = 0; k < DEPTH; k++) {
        add(tiles.left[row * DEPTH + k], tiles.wideRight[k], tiles.wideSums[row], columns);
      }
    }
    exchange(warp, tiles.wideSums, false);
  }

  private void unpackLeft(Warp warp, Sources sources, float[] to) {
    for (int i = 0; i < sources.registers.length; i++) {
      int first = (i & 1) * 8 * DEPTH + (i >> 1) * 8;
      HalfMatrixProduct.unpackLeft(format, sources.registers[i], to, first, DEPTH);
    }
    SharedRows shared = sources.left;
    if (shared != null) {
      int first = warp.index % Warpgroup.WARPS * ROWS;
      for (int row = 0; row < ROWS; row++) {
        shared.unpack(format, first + row, to, row * DEPTH);
      }
    }
    for (int i = 0; negates && i < ROWS * DEPTH; i++) {
      to[i] = -to[i];
    }
  }

  /** Sums go from registers to rows, or back. */
  private void exchange(Warp warp, float[][] rows, boolean toRows) {
    for (int i = 0; i < targets.length; i++) {
      int[] register = warp.products.sums(targets[i]);
      for (int lane = 0; lane < Warp.LANES; lane++) {
        float[] row = rows[(lane >> 2) + (i & 2) * 4];
        int column = (i >> 2) * 8 + (lane & 3) * 2 + (i & 1);
        if (toRows) {
          row[column] = Float.intBitsToFloat(register[lane]);
        } else {
          register[lane] = Float.floatToRawIntBits(row[column]);
        }
      }
    }
  }

  /** One index for both arrays, so that the loop becomes one of vectors. */
  private static void add(float x, float[] row, float[] sums, int columns) {
    for (int i = 0; i < columns; i++) {
      sums[i] += x * row[i];
    }
  }
}
