package dev.kancil.backend.opencl;

import dev.kancil.backend.opencl.Launch.Grid;
import java.util.Map;

/**
 * How work-items divide products, as suits a device: on a processor few items with long vectors of
 * their own, on a graphics processor many that share rows.
 *
 * @param few of few tokens, in {@code mat_vec.cl}
 * @param many of many, in {@code mat_mul.cl}
 * @param common what both are compiled with
 */
record ProductShape(Few few, Many many, Map<String, String> common) {
  /**
   * @param lanes items that share a row
   * @param rowItems items of a work-group beside each other
   * @param rowsPerItem rows that an item has at once
   */
  record Few(int lanes, int rowItems, int rowsPerItem) {
    Map<String, String> defines() {
      return Map.of(
          "LANES", String.valueOf(lanes),
          "ROW_ITEMS", String.valueOf(rowItems),
          "ROWS_PER_ITEM", String.valueOf(rowsPerItem));
    }

    Grid grid(int rows, int tokens) {
      long rowGroups = Math.ceilDiv(rows, rowItems * rowsPerItem);
      return new Grid(
          new long[] {lanes, rowItems, 1},
          (count, groups) -> {
            groups[0] = 1;
            groups[1] = rowGroups;
            groups[2] = Math.ceilDiv(count, tokens);
          });
    }
  }

  /**
   * @param rowItems items of a work-group beside each other
   * @param tokenItems items of a work-group one after the other
   * @param vector rows in a vector
   * @param rowVectors vectors of rows that an item has
   * @param tokensPerItem tokens of which an item keeps sums at once
   * @param tokenTiles how many times so many it does in turn
   * @param depth columns that are decoded at a time
   */
  record Many(
      int rowItems,
      int tokenItems,
      int vector,
      int rowVectors,
      int tokensPerItem,
      int tokenTiles,
      int depth) {
    private int groupRows() {
      return rowItems * rowVectors * vector;
    }

    private int groupTokens() {
      return tokenItems * tokensPerItem * tokenTiles;
    }

    /** Local memory of a work-group, in bytes, a little padding included. */
    long localBytes() {
      return (long) Float.BYTES * depth * (groupRows() + groupTokens() + 2 * 16);
    }

    Map<String, String> defines() {
      return Map.of(
          "ROW_ITEMS", String.valueOf(rowItems),
          "TOKEN_ITEMS", String.valueOf(tokenItems),
          "VECTOR", String.valueOf(vector),
          "ROW_VECTORS", String.valueOf(rowVectors),
          "TOKENS_PER_ITEM", String.valueOf(tokensPerItem),
          "TOKEN_TILES", String.valueOf(tokenTiles),
          "DEPTH", String.valueOf(depth));
    }

    Grid grid(int rows) {
      long rowGroups = Math.ceilDiv(rows, groupRows());
      return new Grid(
          new long[] {rowItems, tokenItems},
          (count, groups) -> {
            groups[0] = rowGroups;
            groups[1] = Math.ceilDiv(count, groupTokens());
          });
    }
  }

  static ProductShape of(ClDevice device) {
    if (!device.isProcessor()) {
      return new ProductShape(
          new Few(32, 4, 1), fitting(new Many(16, 16, 4, 1, 4, 1, 32), device), Map.of());
    }
    int vector = device.floatVector();
    return new ProductShape(
        new Few(1, 8, 1),
        fitting(new Many(1, 1, vector, vector == 16 ? 4 : 2, 4, 32, 64), device),
        Map.of("HALF_BY_SCALING", "true"));
  }

  private static Many fitting(Many wanted, ClDevice device) {
    Many shape = wanted;
    while (shape.localBytes() > device.localBytes() && shape.tokenTiles() > 1) {
      shape =
          new Many(
              shape.rowItems(),
              shape.tokenItems(),
              shape.vector(),
              shape.rowVectors(),
              shape.tokensPerItem(),
              shape.tokenTiles() / 2,
              shape.depth());
    }
    return shape;
  }
}
