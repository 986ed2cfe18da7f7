package dev.kancil.backend.cpu;

import dev.kancil.backend.Batch;
import dev.kancil.backend.host.HostState;
import dev.kancil.backend.host.HostStep;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateSlot;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;

/** Stores rows of keys and values in the pages of their sequences. */
final class CacheWriter {
  private final StateSlot slot;
  private final Scratch scratch;
  private final RowKernels kernels;
  // For each row of the step the row of the cache; filled on the device's thread.
  private final long[] cacheRows;

  CacheWriter(StateSlot slot, int columns, int maxRows, Scratch scratch, RowKernels kernels) {
    this.slot = slot;
    this.scratch = scratch;
    scratch.reserve(Scratch.Kind.ROW, columns);
    this.kernels = kernels;
    this.cacheRows = new long[maxRows];
  }

  void prepare(HostStep step) {
    Batch batch = step.batch();
    for (int i = 0; i < batch.sequenceCount(); i++) {
      for (int row = batch.firstRow(i); row < batch.endRow(i); row++) {
        cacheRows[row] = step.cacheRow(slot, i, batch.position(row));
      }
    }
  }

  /** Stores a row's keys, which lie at {@code at}. */
  void writeKeys(HostStep step, int row, MemorySegment data, long at, int thread) {
    HostState state = step.state();
    StateGroup group = state.group(slot);
    write(state.keys(slot), group.keyType(), group.keyColumns(), row, data, at, thread);
  }

  /** Stores a row's values, which lie at {@code at}. */
  void writeValues(HostStep step, int row, MemorySegment data, long at, int thread) {
    HostState state = step.state();
    StateGroup group = state.group(slot);
    write(state.values(slot), group.valueType(), group.valueColumns(), row, data, at, thread);
  }

  private void write(
      MemorySegment cache,
      DataType type,
      int columns,
      int row,
      MemorySegment data,
      long at,
      int thread) {
    long to = cacheRows[row] * type.byteSize(columns);
    if (type == DataType.F32) {
      MemorySegment.copy(data, at, cache, to, 4L * columns);
    } else {
      float[] room = scratch.of(Scratch.Kind.ROW, thread);
      kernels.encode(type, data, at, cache, to, columns, room);
    }
  }
}
