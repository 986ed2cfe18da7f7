package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.LENGTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Products of {@link #ROWS} rows of a weight with some rows of x, by the Vector API.
 *
 * <p>Few rows of x: each for itself, straight from the tiles, which stay in the first-level cache
 * meanwhile. More: columns are decoded, {@link #DEPTH} at a time, and multiplied with eight rows of
 * x at a time.
 */
final class VectorProduct {
  /** Rows of a weight that are multiplied together. */
  static final int ROWS = PackedTiles.WIDTH;

  /** Rows of x whose products wait at once. */
  static final int MOST_ROWS = 512;

  /** Columns that are decoded at once, which then lie in the second-level cache: whole blocks. */
  private static final int DEPTH = 1024;

  /** Some microseconds of work: enough to pay for taking a chunk, little to wait for. */
  private static final int CHUNK_ELEMENTS = 48 * 1024;

  private VectorProduct() {}

  /** Makes room for the products of one or two matrices with at most so many rows of x. */
  static void reserve(Scratch scratch, int mostRows, int columns, int matrices) {
    int rows = Math.min(mostRows, MOST_ROWS) + PackedTiles.ROWS;
    scratch.reserve(Scratch.Kind.PANEL, (long) ROWS * DEPTH);
    scratch.reserveTileRooms(Math.max(TileScales.room(columns), DEPTH));
    scratch.reserve(Scratch.Kind.PRODUCTS, (long) rows * ROWS);
    if (matrices > 1) {
      scratch.reserve(Scratch.Kind.SECOND_PRODUCTS, (long) rows * ROWS);
      scratch.reserve(Scratch.Kind.EXPRESSION, (long) rows * ROWS);
    }
  }

  /** How the rows of a weight are cut into chunks of work, the first of which has a number. */
  static Chunks chunks(int first, VectorTiles weight) {
    int runs = Math.clamp(CHUNK_ELEMENTS / ROWS / Math.max(1, weight.columns()), 1, 4);
    return new Chunks(first, weight.groupRows(), runs * ROWS);
  }

  /**
   * {@code results[t · ROWS + i] = row first + i · x[t]}.
   *
   * @param first row of the group, a multiple of {@link #ROWS}
   * @param xRow the first row of x, and {@code rows} of them, {@link #MOST_ROWS} at most
   * @param few where what single products take of x is
   * @param singles whether rows of x are multiplied each for itself, as {@link
   *     VectorTiles#mostSingles} allows
   */
  static void multiply(
      VectorTiles weight,
      int group,
      int first,
      ProductRows x,
      int xRow,
      int few,
      int rows,
      boolean singles,
      Scratch scratch,
      int thread,
      float[] results) {
    VectorTiles.Rooms rooms = scratch.tileRooms(thread);
    int count = Math.min(ROWS, weight.groupRows() - first);
    if (singles) {
      for (int v = 0; v < count; v += LENGTH) {
        weight.multiply(group, first + v, x, xRow, few, rows, rooms, results, v, ROWS);
      }
      return;
    }
    float[] panel = scratch.of(Scratch.Kind.PANEL, thread);
    Arrays.fill(results, 0, (rows + PackedTiles.ROWS - 1) * ROWS, 0);
    for (int column = 0; column < weight.columns(); column += DEPTH) {
      int depth = Math.min(DEPTH, weight.columns() - column);
      for (int v = 0; v < count; v += LENGTH) {
        weight.decode(group, first + v, column, depth, rooms, panel, v);
      }
      int at = xRow * x.stride() + column;
      PackedTiles.multiply(x.x(), at, x.stride(), rows, panel, depth, count, results);
    }
  }

  /** Copies a row of results to where it belongs. */
  static void store(float[] results, int row, int count, MemorySegment y, long at) {
    MemorySegment.copy(results, row * ROWS, y, ValueLayout.JAVA_FLOAT, at, count);
  }
}
