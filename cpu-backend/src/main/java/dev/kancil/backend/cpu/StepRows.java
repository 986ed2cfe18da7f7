package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** All rows of x of a step, in their order, for {@link VectorProduct}s. */
final class StepRows implements WorkerPool.Work {
  private final ProductRows rows = new ProductRows();
  private @Nullable MemorySegment source;
  private int count;
  private int columns;

  /** Makes room for the largest step. */
  void reserve(int mostRows, int mostColumns) {
    rows.reserve(mostRows, Math.min(mostRows, VectorTiles.MOST_SINGLES), mostColumns);
  }

  /** Takes rows that lie one behind the other. */
  void fill(MemorySegment newSource, int newCount, int newColumns, WorkerPool pool) {
    source = newSource;
    count = newCount;
    columns = newColumns;
    rows.begin(newColumns);
    pool.run(newCount, this);
  }

  @Override
  public void run(int row, int thread) {
    rows.put(row, Objects.requireNonNull(source), 4L * row * columns, columns);
    if (count <= VectorTiles.MOST_SINGLES) {
      rows.shift(row, row);
    }
  }

  int count() {
    return count;
  }

  /** As {@link VectorProduct#multiply}, with {@code some} rows from {@code begin} on. */
  void multiply(
      VectorTiles weight,
      int row,
      int begin,
      int some,
      Scratch scratch,
      int thread,
      float[] results) {
    boolean singles = count <= weight.mostSingles();
    VectorProduct.multiply(
        weight, 0, row, rows, begin, begin, some, singles, scratch, thread, results);
  }
}
