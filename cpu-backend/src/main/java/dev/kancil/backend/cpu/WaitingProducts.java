package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Native products of a run of tiles and some rows of x, which wait in the thread's cache for what
 * is made of them before they are stored.
 */
final class WaitingProducts {
  /** Rows of x whose products wait at once. */
  static final int ROWS = 60;

  /**
   * How many rows are multiplied together from row {@code begin} of so many on; where fewer are
   * left than products take, some of those before are among them, which come out alike.
   */
  static int count(int begin, int rows) {
    return Math.min(rows, Math.clamp(rows - begin, TileProduct.LEAST_OF_MANY, ROWS));
  }

  private final TileRuns runs;
  private final MemorySegment[] products;

  /**
   * @param mostRows of x that a step has
   * @param number 0, or 1 for those of a second matrix that wait at the same time
   */
  WaitingProducts(TileRuns runs, int mostRows, int threads, Scratch scratch, int number) {
    this.runs = runs;
    long bytes = 4L * Math.min(ROWS, mostRows) * runs.perChunk() * TileProduct.ROWS;
    products = new MemorySegment[threads];
    for (int i = 0; i < threads; i++) {
      products[i] = scratch.memory(i, 2 * bytes).asSlice(number * bytes, bytes);
    }
  }

  /**
   * Multiplies a run's tiles with rows of x; returns memory that has their products, row by row.
   *
   * @param x address of the first row, {@code xBytes} from one to the next
   */
  MemorySegment of(
      TiledWeight weight,
      int group,
      int run,
      long x,
      long xBytes,
      int rows,
      RowForm form,
      int thread) {
    int first = runs.firstTile(run);
    int tiles = runs.count(run);
    int columns = weight.rows(first, tiles);
    MemorySegment room = products[thread];
    weight.multiply(group, first, tiles, x, xBytes, rows, form, room.address(), columns);
    return room;
  }
}
