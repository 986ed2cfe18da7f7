package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rows of x that experts' slots take, beside each other for each expert: rounded as the
 * expert's product takes them, or copied. Filled by all threads before a product's chunks run; the
 * kernels of a program share it, since they run one after the other.
 */
final class SlotRows implements WorkerPool.Work {
  private final NativeLibrary library;
  private final ExpertSlots slots;
  private MemorySegment data = MemorySegment.NULL;
  private @Nullable MemorySegment x;
  private int columns;
  private int slotsOfInput;
  private @Nullable TileProduct product;
  private long rowBytes;

  SlotRows(NativeLibrary library, ExpertSlots slots) {
    this.library = library;
    this.slots = slots;
  }

  /** Makes room for what a product takes in the largest step. */
  void reserve(int mostSlots, int mostColumns, TileProduct taken) {
    long bytes = mostSlots * rowBytes(mostColumns, taken);
    if (data.byteSize() < bytes) {
      data = NativeMemory.allocate(bytes, Arena.ofAuto(), "rounded activations");
    }
  }

  /** Of the largest form, since experts have more or fewer rows. */
  private long rowBytes(int columns, TileProduct taken) {
    return Math.max(
        library.rowBytes(columns, taken.form(1)),
        library.rowBytes(columns, taken.form(TileProduct.MANY)));
  }

  /**
   * Fills it for the slots that are sorted.
   *
   * @param newSlotsOfInput slots that share a row of x
   */
  void fill(
      MemorySegment source,
      int newColumns,
      int newSlotsOfInput,
      TileProduct newProduct,
      int experts,
      WorkerPool pool) {
    x = source;
    columns = newColumns;
    slotsOfInput = newSlotsOfInput;
    product = newProduct;
    rowBytes = rowBytes(columns, newProduct);
    pool.run(experts, this);
  }

  @Override
  public void run(int expert, int thread) {
    MemorySegment source = Objects.requireNonNull(x);
    int count = slots.count(expert);
    RowForm form = Objects.requireNonNull(product).form(count);
    for (int i = 0; i < count; i++) {
      long from = 4L * (slots.slot(expert, i) / slotsOfInput) * columns;
      long to = (slots.start(expert) + i) * rowBytes;
      if (form != RowForm.FLOATS) {
        library.round(source.address() + from, columns, 1, data.address() + to, rowBytes, form);
      } else {
        MemorySegment.copy(source, from, data, to, 4L * columns);
      }
    }
  }

  /** Where the row of an expert's first slot begins. */
  long address(int expert) {
    return data.address() + slots.start(expert) * rowBytes;
  }

  long rowBytes() {
    return rowBytes;
  }
}
