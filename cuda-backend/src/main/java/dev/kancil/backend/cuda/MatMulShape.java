package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.Grid;
import dev.kancil.tensor.DataType;
import java.util.Map;

/**
 * How {@code mat_mul.h} divides its work: what was fastest on an H200 for 2,048 tokens, and narrow
 * for few. Those of experts have not run on a device; they are made for as many warps on a
 * multiprocessor as registers and shared memory allow.
 *
 * @param depth columns of a stage
 * @param stages that are on their way
 * @param warpsDown warps that share rows of weights
 * @param warpsAcross warps that share tokens
 * @param rowTiles of 16 rows each, of a warp
 * @param tokenTiles of 8 tokens each, of a warp
 * @param placeBytes that a block has to know where each token is
 */
record MatMulShape(
    TileFormat format,
    int depth,
    int stages,
    int warpsDown,
    int warpsAcross,
    int rowTiles,
    int tokenTiles,
    int placeBytes) {
  /** Tokens up to which blocks are narrow. */
  static final int FEW_TOKENS = 16;

  /** For each slot of an expert, of which row of x it is and where in y it goes. */
  static final int PLACE_BYTES = 2 * Integer.BYTES;

  /** Blocks of fewer warps would wait for memory. */
  private static final int LEAST_TALL_WARPS = 4;

  /** For steps of up to {@link #FEW_TOKENS}. */
  static MatMulShape few(TileFormat format) {
    return new MatMulShape(format, format.chunkColumns() == 256 ? 256 : 128, 2, 8, 1, 1, 2, 0);
  }

  /** For more. */
  static MatMulShape many(TileFormat format) {
    if (format.chunkColumns() == 256) {
      return new MatMulShape(format, 256, 2, 8, 1, 1, 16, 0);
    }
    return switch (format.type()) {
      case F16, BF16 -> new MatMulShape(format, 64, 3, 4, 2, 2, 8, 0);
      default -> new MatMulShape(format, 128, 2, 4, 2, 2, 8, 0);
    };
  }

  /**
   * For slots of experts. A warp has all of a block's slots, since it leaves out what a tile lacks.
   *
   * @param isPaired whether gate and up are one launch
   * @param isWide for 128 slots at most, not 32
   */
  static MatMulShape ofExperts(TileFormat format, boolean isPaired, boolean isWide) {
    int depth = format.chunkColumns() == 256 ? 256 : 128;
    boolean isWhole = format.type() == DataType.F16 || format.type() == DataType.BF16;
    return new MatMulShape(
        format,
        isWhole ? format.chunkColumns() : depth,
        isWhole ? 3 : 2,
        isPaired && !isWide ? 4 : 8,
        1,
        isPaired ? 2 : 1,
        isWide ? 16 : 4,
        PLACE_BYTES);
  }

  /** The same in no more shared memory than a device has. */
  MatMulShape within(CudaTraits traits) {
    MatMulShape shape = this;
    while (shape.sharedBytes() > traits.sharedBytesPerBlock()
        && (shape.tokenTiles > 2 || shape.warpsDown > 1)) {
      // Those of experts lose rows first where gate and up take more room than x.
      boolean isTall =
          placeBytes > 0
              && shape.warpsDown > LEAST_TALL_WARPS
              && shape.weightBytes() > shape.activationBytes();
      boolean isNarrow = isTall || shape.tokenTiles <= 2;
      shape =
          new MatMulShape(
              format,
              depth,
              stages,
              isNarrow ? shape.warpsDown / 2 : shape.warpsDown,
              warpsAcross,
              rowTiles,
              isNarrow ? shape.tokenTiles : shape.tokenTiles / 2,
              placeBytes);
    }
    return shape;
  }

  private int blockRows() {
    return warpsDown * rowTiles * TileFormat.ROWS;
  }

  int blockTokens() {
    return warpsAcross * tokenTiles * 8;
  }

  /** Of a stage. */
  private int weightBytes() {
    return warpsDown * rowTiles * (depth / format.chunkColumns()) * format.chunkBytes();
  }

  private int activationBytes() {
    return blockTokens() * depth * Short.BYTES;
  }

  private int sharedBytes() {
    return stages * (weightBytes() + activationBytes()) + blockTokens() * placeBytes;
  }

  Map<String, String> defines() {
    return Map.of(
        "DEPTH", String.valueOf(depth),
        "STAGES", String.valueOf(stages),
        "WARPS_DOWN", String.valueOf(warpsDown),
        "WARPS_ACROSS", String.valueOf(warpsAcross),
        "ROW_TILES", String.valueOf(rowTiles),
        "TOKEN_TILES", String.valueOf(tokenTiles));
  }

  /**
   * @param rows of the matrix
   */
  Grid grid(int rows) {
    return new Grid(
        new long[] {32L * warpsDown * warpsAcross, 1},
        (tokens, groups) -> {
          groups[0] = Math.ceilDiv(tokens, blockTokens());
          groups[1] = Math.ceilDiv(rows, blockRows());
        },
        sharedBytes());
  }

  /**
   * For tiles of slots.
   *
   * @param rows of an expert's matrices, all together
   */
  Grid grid(int rows, SlotTiles tiles) {
    long rowBlocks = Math.ceilDiv(rows, blockRows());
    return new Grid(
        new long[] {32L * warpsDown * warpsAcross, 1},
        (tokens, groups) -> {
          groups[0] = tiles.most(tokens, blockTokens());
          groups[1] = rowBlocks;
        },
        sharedBytes());
  }
}
