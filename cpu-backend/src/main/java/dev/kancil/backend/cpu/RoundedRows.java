package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Rows of x as native products with quantised weights take them (activations.h): whole numbers of
 * two or three bytes with a scale for each 32. Filled by all threads before a product's chunks run;
 * the kernels of a program share it, since they run one after the other.
 */
final class RoundedRows implements WorkerPool.Work {
  /** Rows that are rounded at once. */
  private static final int RUN = 8;

  private final NativeLibrary library;
  private MemorySegment data = MemorySegment.NULL;
  private long x;
  private int columns;
  private int rows;
  private int parts;
  private long rowBytes;

  RoundedRows(NativeLibrary library) {
    this.library = library;
  }

  /** Makes room for the largest step. */
  void reserve(int mostRows, int mostColumns) {
    long bytes = mostRows * Math.max(rowBytes(mostColumns, 2), rowBytes(mostColumns, 3));
    if (data.byteSize() < bytes) {
      data = NativeMemory.allocate(bytes, Arena.ofAuto(), "rounded activations");
    }
  }

  private long rowBytes(int columns, int parts) {
    return Math.ceilDiv(library.roundBytes(columns, parts), 64) * 64L;
  }

  /** Rounds rows that lie one behind the other. */
  void round(MemorySegment source, int newRows, int newColumns, WorkerPool pool) {
    x = source.address();
    rows = newRows;
    columns = newColumns;
    parts = TileProduct.parts(rows);
    rowBytes = rowBytes(columns, parts);
    pool.run(Math.ceilDiv(rows, RUN), this);
  }

  @Override
  public void run(int chunk, int thread) {
    int first = chunk * RUN;
    library.round(
        x + 4L * first * columns,
        columns,
        Math.min(RUN, rows - first),
        address(first),
        rowBytes,
        parts);
  }

  /** Where a rounded row begins. */
  long address(int row) {
    return data.address() + row * rowBytes;
  }

  long rowBytes() {
    return rowBytes;
  }
}
