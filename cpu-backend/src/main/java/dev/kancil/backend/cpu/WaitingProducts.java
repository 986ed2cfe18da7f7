package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Native products of a run of tiles and some rows of x, which wait in the thread's cache for what
 * is made of them before they are stored.
 */
final class WaitingProducts {
  /** Rows of x whose products wait at once. */
  static final int ROWS = 60;

  private final TileRuns runs;
  private final MemorySegment[] products;

  /**
   * @param mostRows of x that a step has
   */
  WaitingProducts(TileRuns runs, int mostRows, int threads) {
    this.runs = runs;
    int floats = Math.min(ROWS, mostRows) * runs.perChunk() * TileProduct.ROWS;
    products = new MemorySegment[threads];
    for (int i = 0; i < threads; i++) {
      products[i] = NativeMemory.allocate(4L * floats, Arena.ofAuto(), "products");
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
      int parts,
      int thread) {
    int first = runs.firstTile(run);
    int tiles = runs.count(run);
    int columns = weight.rows(first, tiles);
    MemorySegment room = products[thread];
    weight.multiply(group, first, tiles, x, xBytes, rows, parts, room.address(), columns);
    return room;
  }
}
