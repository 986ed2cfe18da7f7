package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.Grid;
import java.util.List;
import java.util.Map;

/**
 * How {@code mat_mul_warpgroups.h} divides its work, for devices of compute capability 9.0.
 *
 * @param tokens of a block
 * @param groups of four warps, which take 64 rows of weights each
 * @param stages of activations that are on their way
 * @param cost of blocks of which each multiprocessor has one, in microseconds for 4,096 columns of
 *     Q4_K on an H200, as all that follows
 * @param furtherCost of as many more
 * @param start what is added to that where several blocks are on a multiprocessor at once; 0 where
 *     there is room for one, and they come in whole waves
 */
record WarpgroupShape(int tokens, int groups, int stages, int cost, int furtherCost, int start) {
  static final WarpgroupShape OF_256 = new WarpgroupShape(256, 2, 4, 72, 68, 0);
  static final WarpgroupShape OF_128 = new WarpgroupShape(128, 2, 4, 57, 44, 12);

  /** For experts alone, which are not chosen by cost. */
  static final WarpgroupShape OF_64 = new WarpgroupShape(64, 2, 4, 0, 0, 0);

  /** From the widest on. */
  static final List<WarpgroupShape> ALL =
      List.of(OF_256, OF_128, new WarpgroupShape(128, 1, 4, 46, 22, 20));

  /** The same, of blocks whose two groups have the same rows of two matrices. */
  static final List<WarpgroupShape> PAIRED =
      ALL.stream().filter(shape -> shape.groups == 2).toList();

  /** Columns of a stage. */
  private static final int DEPTH = 64;

  private static final int ROWS_OF_GROUP = 64;

  int blockRows(boolean isPaired) {
    return isPaired ? ROWS_OF_GROUP : groups * ROWS_OF_GROUP;
  }

  /** What so many blocks of rows take in a step. */
  long cost(int rows, int rowBlocks, CudaTraits traits) {
    long blocks = (long) Math.ceilDiv(rows, tokens) * rowBlocks;
    // A device that is not there has none, and no matter.
    int units = Math.max(traits.units(), 1);
    if (start == 0) {
      return cost + (Math.ceilDiv(blocks, units) - 1) * furtherCost;
    }
    return Math.max(cost, furtherCost * blocks / units + start);
  }

  Map<String, String> defines() {
    return Map.of(
        "TOKENS", String.valueOf(tokens),
        "GROUPS", String.valueOf(groups),
        "STAGES", String.valueOf(stages));
  }

  /** Shared memory of a block, with room for the widest of some formats. */
  private int sharedBytes(List<TileFormat> formats) {
    int weights =
        formats.stream()
            .mapToInt(format -> (format.chunkColumns() == DEPTH ? stages : 2) * format.chunkBytes())
            .max()
            .orElseThrow();
    return stages * tokens * DEPTH * Short.BYTES
        + weights * groups * ROWS_OF_GROUP / TileFormat.ROWS;
  }

  /**
   * @param rowBlocks blocks that share a step's tokens
   */
  Grid grid(int rowBlocks, List<TileFormat> formats) {
    return new Grid(
        new long[] {128L * groups, 1},
        (rows, target) -> {
          target[0] = Math.ceilDiv(rows, tokens);
          target[1] = rowBlocks;
        },
        sharedBytes(formats));
  }

  /**
   * For tiles of slots of experts, which are as many as a block's tokens.
   *
   * @param rowBlocks blocks that share a tile
   */
  Grid grid(int rowBlocks, TileFormat format, SlotTiles tiles) {
    return new Grid(
        new long[] {128L * groups, 1},
        (rows, target) -> {
          target[0] = tiles.most(rows, tokens);
          target[1] = rowBlocks;
        },
        sharedBytes(List.of(format)) + tokens * MatMulShape.PLACE_BYTES);
  }
}
