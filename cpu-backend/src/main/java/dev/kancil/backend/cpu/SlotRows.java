package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rows of x that experts' slots take, beside each other for each expert: rounded as {@link
 * RoundedRows} does, or copied where weights are floats. Filled by all threads before a product's
 * chunks run; the kernels of a program share it, since they run one after the other.
 */
final class SlotRows implements WorkerPool.Work {
  private final NativeLibrary library;
  private final ExpertSlots slots;
  private MemorySegment data = MemorySegment.NULL;
  private @Nullable MemorySegment x;
  private int columns;
  private int slotsOfInput;
  private boolean rounds;
  private long rowBytes;

  SlotRows(NativeLibrary library, ExpertSlots slots) {
    this.library = library;
    this.slots = slots;
  }

  /** Makes room for the largest step. */
  void reserve(int mostSlots, int mostColumns) {
    long bytes = mostSlots * Math.max(rowBytes(mostColumns, true), rowBytes(mostColumns, false));
    if (data.byteSize() < bytes) {
      data = NativeMemory.allocate(bytes, Arena.ofAuto(), "rounded activations");
    }
  }

  private long rowBytes(int columns, boolean rounds) {
    long bytes =
        rounds
            ? Math.max(library.roundBytes(columns, 2), library.roundBytes(columns, 3))
            : 4L * columns;
    return Math.ceilDiv(bytes, 64) * 64;
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
      boolean newRounds,
      int experts,
      WorkerPool pool) {
    x = source;
    columns = newColumns;
    slotsOfInput = newSlotsOfInput;
    rounds = newRounds;
    rowBytes = rowBytes(columns, rounds);
    pool.run(experts, this);
  }

  @Override
  public void run(int expert, int thread) {
    MemorySegment source = Objects.requireNonNull(x);
    int count = slots.count(expert);
    for (int i = 0; i < count; i++) {
      long from = 4L * (slots.slot(expert, i) / slotsOfInput) * columns;
      long to = (slots.start(expert) + i) * rowBytes;
      if (rounds) {
        library.round(
            source.address() + from,
            columns,
            1,
            data.address() + to,
            rowBytes,
            TileProduct.parts(count));
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
