package dev.kancil.backend.cuda;

import dev.kancil.tensor.Codebook;
import dev.kancil.tensor.DataType;
import java.util.Optional;

/**
 * How matrices of a type lie in tiles of 16 rows: what {@code kernels/cuda/weight_tiles.h} says.
 *
 * @param tile what its tiles are called there; several types may have the same
 * @param chunkColumns columns of a chunk; the last of a tile is filled up
 * @param chunkBytes of a chunk
 * @param chunksAtOnce that a warp copies at once
 */
record TileFormat(DataType type, String tile, int chunkColumns, int chunkBytes, int chunksAtOnce) {
  static final int ROWS = 16;

  /** The format of a type, if it has one. */
  static Optional<TileFormat> of(DataType type) {
    return Optional.ofNullable(
        switch (type) {
          case F16, BF16 -> small(type, 2048, 1);
          case Q4_0, IQ4_NL, MXFP4 -> small(type, 576, 4);
          case Q4_1 -> small(type, 640, 4);
          case Q5_0 -> small(type, 704, 4);
          case Q5_1 -> small(type, 768, 4);
          case Q8_0 -> small(type, 1088, 2);
          case SCALED_F8 -> small(type, 1152, 2);
          case Q4_K -> wide(type, type.name(), 2304);
          case Q5_K -> wide(type, type.name(), 2816);
          case Q2_K, TQ1_0, TQ2_0 -> wide(type, "Q2_K", 1344);
          case Q3_K -> wide(type, type.name(), 1824);
          case Q6_K -> wide(type, type.name(), 3360);
          case IQ4_XS, IQ3_XXS, IQ3_S -> wide(type, type.name(), 2336);
          case IQ2_XXS, IQ2_XS, IQ2_S -> wide(type, "IQ2", 2336);
          case IQ1_S, IQ1_M -> wide(type, "IQ1", 2336);
          case NVFP4 -> wide(type, type.name(), 2304);
          default -> null;
        });
  }

  private static TileFormat small(DataType type, int chunkBytes, int chunksAtOnce) {
    return new TileFormat(type, type.name(), 64, chunkBytes, chunksAtOnce);
  }

  private static TileFormat wide(DataType type, String tile, int chunkBytes) {
    return new TileFormat(type, tile, 256, chunkBytes, 1);
  }

  /** Its name among the kernels. */
  String kernelType() {
    return "tile_" + tile;
  }

  /** Whether what is stored are entries of a codebook. */
  boolean hasCodebook() {
    return Codebook.groups(type).length > 0;
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
