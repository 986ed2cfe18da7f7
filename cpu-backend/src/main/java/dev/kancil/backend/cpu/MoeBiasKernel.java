package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;
import static dev.kancil.backend.cpu.Lanes.ORDER;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import org.jspecify.annotations.Nullable;

/**
 * MoeBias: to each slot of a row its expert's vector is added. Bound by memory, 8 bytes an element.
 * Threads: runs of rows, of about 16384 elements.
 */
final class MoeBiasKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 16 * 1024;

  private final HostValue x;
  private final HostValue ids;
  private final HostValue y;
  private final float[] bias;
  private final int columns;
  private final int chunkRows;
  private final WorkerPool pool;
  private @Nullable HostStep step;

  MoeBiasKernel(Node node, Lowering.Operands operands, WorkerPool pool) {
    this.pool = pool;
    x = operands.value(node.value(0));
    bias = Blocks.decode(operands.weight(node.weight(1)));
    ids = operands.value(node.value(2));
    y = operands.value(node.output());
    columns = y.columns() / ids.columns();
    chunkRows = Math.max(1, CHUNK_ELEMENTS / y.columns());
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    pool.run(Math.ceilDiv(y.rows(newStep), chunkRows), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    MemorySegment chosen = ids.data(current);
    int lastExpert = bias.length / columns - 1;
    int end = Math.min(y.rows(current), (chunk + 1) * chunkRows) * ids.columns();
    for (int slot = chunk * chunkRows * ids.columns(); slot < end; slot++) {
      int id = chosen.getAtIndex(ValueLayout.JAVA_INT, slot);
      int expert = Math.clamp(id, 0, lastExpert);
      long at = 4L * slot * columns;
      add(x.data(current), at, bias, expert * columns, columns, y.data(current));
    }
  }

  private static void add(
      MemorySegment x, long at, float[] bias, int from, int columns, MemorySegment y) {
    int i = 0;
    for (; i < Lanes.whole(columns); i += LENGTH) {
      long offset = at + 4L * i;
      Lanes.floats(x, offset)
          .add(FloatVector.fromArray(FLOATS, bias, from + i))
          .intoMemorySegment(y, offset, ORDER);
    }
    if (i < columns) {
      VectorMask<Float> rest = FLOATS.indexInRange(i, columns);
      long offset = at + 4L * i;
      FloatVector.fromMemorySegment(FLOATS, x, offset, ORDER, rest)
          .add(FloatVector.fromArray(FLOATS, bias, from + i, rest))
          .intoMemorySegment(y, offset, ORDER, rest);
    }
  }
}
