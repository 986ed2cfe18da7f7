package dev.kancil.backend.reference;

import dev.kancil.backend.Batch;
import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateSlot;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;

final class ReferenceCacheWrite implements Kernel {
  private final StateSlot slot;
  private final HostValue k;
  private final HostValue v;

  ReferenceCacheWrite(StateSlot slot, Node node, Lowering.Operands operands) {
    this.slot = slot;
    k = operands.value(node.value(0));
    v = operands.value(node.value(1));
  }

  @Override
  public void run(HostStep step) {
    Batch batch = step.batch();
    StateGroup group = step.state().group(slot);
    for (int i = 0; i < batch.sequenceCount(); i++) {
      for (int row = batch.firstRow(i); row < batch.endRow(i); row++) {
        long cacheRow = step.cacheRow(slot, i, batch.position(row));
        write(step.state().keys(slot), group.keyType(), cacheRow, Rows.read(k, step, row));
        write(step.state().values(slot), group.valueType(), cacheRow, Rows.read(v, step, row));
      }
    }
  }

  private static void write(MemorySegment cache, DataType type, long row, float[] data) {
    Blocks.encode(type, data, 0, cache, row * type.byteSize(data.length), data.length);
  }
}
