package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Rows of x as native products take them (activations.h), in each form that the step's products
 * need. Filled by all threads before a product's chunks run; the kernels of a program share it,
 * since they run one after the other.
 */
final class RoundedRows implements WorkerPool.Work {
  /** Rows that are rounded at once. */
  private static final int RUN = 8;

  private static final RowForm[] FORMS = RowForm.values();

  private final NativeLibrary library;
  private final MemorySegment[] data = new MemorySegment[FORMS.length];
  // Of forms that the step has filled, and of x itself.
  private final long[] rowBytes = new long[FORMS.length];
  private MemorySegment x = MemorySegment.NULL;
  private int columns;
  private int rows;
  // That is being filled.
  private RowForm filled = RowForm.FLOATS;

  RoundedRows(NativeLibrary library) {
    this.library = library;
    Arrays.fill(data, MemorySegment.NULL);
  }

  /** Makes room for what a product takes in the largest step. */
  void reserve(int mostRows, int mostColumns, TileProduct product) {
    reserve(Math.min(mostRows, TileProduct.MANY - 1), mostColumns, product.form(1));
    if (mostRows >= TileProduct.MANY) {
      reserve(mostRows, mostColumns, product.form(mostRows));
    }
  }

  private void reserve(int mostRows, int mostColumns, RowForm form) {
    long bytes = mostRows * library.rowBytes(mostColumns, form);
    if (form != RowForm.FLOATS && data[form.code].byteSize() < bytes) {
      data[form.code] = NativeMemory.allocate(bytes, Arena.ofAuto(), "rounded activations");
    }
  }

  /** Takes rows that lie one behind the other. */
  void begin(MemorySegment source, int newRows, int newColumns) {
    x = source;
    rows = newRows;
    columns = newColumns;
    filled = RowForm.FLOATS;
    rowBytes[filled.code] = 4L * newColumns;
  }

  /** Rounds them as a product takes them, unless that has just been done. */
  void fill(TileProduct product, WorkerPool pool) {
    RowForm form = product.form(rows);
    if (form != RowForm.FLOATS && form != filled) {
      filled = form;
      rowBytes[form.code] = library.rowBytes(columns, form);
      pool.run(Math.ceilDiv(rows, RUN), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    int first = chunk * RUN;
    library.round(
        x.address() + 4L * first * columns,
        columns,
        Math.min(RUN, rows - first),
        address(first, filled),
        rowBytes(filled),
        filled);
  }

  /** Where a row begins: x itself, where it is not rounded. */
  long address(int row, RowForm form) {
    MemorySegment from = form == RowForm.FLOATS ? x : data[form.code];
    return from.address() + row * rowBytes(form);
  }

  long rowBytes(RowForm form) {
    return rowBytes[form.code];
  }
}
