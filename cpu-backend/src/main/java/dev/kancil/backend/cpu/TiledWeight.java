package dev.kancil.backend.cpu;

import dev.kancil.backend.host.Lowering;
import dev.kancil.backend.host.Packing;
import dev.kancil.graph.Weight;
import java.lang.foreign.MemorySegment;

/**
 * A weight as native kernels take it: groups of rows (experts, or all rows as one), each in tiles
 * of its own.
 *
 * @param data all tiles
 * @param groupRows rows of a group
 */
record TiledWeight(
    TileProduct product, MemorySegment data, int columns, int groupRows, long tileBytes) {

  /**
   * Lays a weight, unless that has been done for another node or program.
   *
   * @param groups of equally many rows that begin with a tile of their own
   */
  static TiledWeight of(
      NativeLibrary library, Weight weight, int groups, Lowering.Operands operands) {
    TileProduct product = library.product(weight.type());
    int columns = Math.toIntExact(weight.shape().columns());
    int rows = Math.toIntExact(weight.shape().rows() / groups);
    long tileBytes = product.tileBytes(columns);
    long rowBytes = weight.type().byteSize(columns);
    Packing packing =
        new Packing(
            groups,
            rows,
            rowBytes,
            TileProduct.ROWS,
            tileBytes,
            (from, at, count, to, target) ->
                product.pack(from.address() + at, columns, count, to.address() + target));
    MemorySegment data = operands.packed(weight, packing);
    return new TiledWeight(product, data, columns, rows, tileBytes);
  }

  /** Tiles of a group. */
  int tiles() {
    return Math.ceilDiv(groupRows, TileProduct.ROWS);
  }

  /** Rows that some tiles of a group hold. */
  int rows(int firstTile, int count) {
    return Math.min(count * TileProduct.ROWS, groupRows - firstTile * TileProduct.ROWS);
  }

  /** {@code y[t] = rows of some tiles · x[t]}; y is the address of the first tile's result. */
  void multiply(
      int group,
      int firstTile,
      int count,
      long x,
      long xBytes,
      int tokens,
      RowForm form,
      long y,
      long yFloats) {
    long at = data.address() + ((long) group * tiles() + firstTile) * tileBytes;
    product.multiply(at, columns, x, xBytes, tokens, form, y, yFloats, rows(firstTile, count));
  }
}
