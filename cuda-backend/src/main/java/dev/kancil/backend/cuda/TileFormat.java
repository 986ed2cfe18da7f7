package dev.kancil.backend.cuda;

import dev.kancil.tensor.DataType;
import java.util.Optional;

/**
 * How matrices of a type lie in tiles of 16 rows: what {@code kernels/cuda/weight_tiles.h} says.
 *
 * @param chunkColumns columns of a chunk; the last of a tile is filled up
 * @param chunkBytes of a chunk
 * @param chunksAtOnce that a warp copies at once
 */
record TileFormat(DataType type, int chunkColumns, int chunkBytes, int chunksAtOnce) {
  static final int ROWS = 16;

  /** The format of a type, if it has one. */
  static Optional<TileFormat> of(DataType type) {
    return Optional.ofNullable(
        switch (type) {
          case F16, BF16 -> new TileFormat(type, 64, 2048, 1);
          case Q4_0 -> new TileFormat(type, 64, 576, 4);
          case Q4_1 -> new TileFormat(type, 64, 640, 4);
          case Q5_0 -> new TileFormat(type, 64, 704, 4);
          case Q5_1 -> new TileFormat(type, 64, 768, 4);
          case Q8_0 -> new TileFormat(type, 64, 1088, 2);
          case SCALED_F8 -> new TileFormat(type, 64, 1152, 2);
          case Q4_K -> new TileFormat(type, 256, 2304, 1);
          case Q5_K -> new TileFormat(type, 256, 2816, 1);
          case Q6_K -> new TileFormat(type, 256, 3360, 1);
          default -> null;
        });
  }

  /** Its name among the kernels. */
  String kernelType() {
    return "tile_" + type.name();
  }

  int chunks(int columns) {
    return Math.ceilDiv(columns, chunkColumns);
  }

  static int tiles(int rows) {
    return Math.ceilDiv(rows, ROWS);
  }

  long tileBytes(int columns) {
    return (long) chunks(columns) * chunkBytes;
  }
}
