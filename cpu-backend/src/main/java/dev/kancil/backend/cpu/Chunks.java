package dev.kancil.backend.cpu;

/**
 * How the rows of a weight are cut into chunks of work.
 *
 * @param first number of the first chunk
 * @param rows weight rows in all
 * @param perChunk weight rows of a chunk
 */
record Chunks(int first, int rows, int perChunk) {
  /** Some microseconds of work: enough to pay for taking a chunk, little to wait for. */
  private static final int DOT_ELEMENTS = 24 * 1024;

  /** The most weight rows of a chunk with one row of x. */
  static final int MOST_DOT_ROWS = 64;

  static Chunks panels(int first, WeightRows weight) {
    return new Chunks(first, weight.rows(), PanelProduct.PANEL_ROWS);
  }

  static Chunks dots(int first, WeightRows weight) {
    int rows = Tiles.panelRows(DOT_ELEMENTS / Math.max(1, weight.columns()));
    return new Chunks(first, weight.rows(), Math.clamp(rows, 4, MOST_DOT_ROWS));
  }

  /** The number after the last chunk's. */
  int end() {
    return first + Math.ceilDiv(rows, perChunk);
  }

  int firstRow(int chunk) {
    return (chunk - first) * perChunk;
  }

  int rowCount(int chunk) {
    return Math.min(perChunk, rows - firstRow(chunk));
  }
}
