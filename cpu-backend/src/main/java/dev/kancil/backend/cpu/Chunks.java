package dev.kancil.backend.cpu;

/**
 * How the rows of a weight are cut into chunks of work.
 *
 * @param first number of the first chunk
 * @param rows weight rows in all
 * @param perChunk weight rows of a chunk
 */
record Chunks(int first, int rows, int perChunk) {
  /** The number after the last chunk's. */
  int end() {
    return first + Math.ceilDiv(rows, perChunk);
  }

  int firstRow(int chunk) {
    return (chunk - first) * perChunk;
  }

  /** The row after the last of a chunk. */
  int lastRow(int chunk) {
    return Math.min(firstRow(chunk) + perChunk, rows);
  }
}
