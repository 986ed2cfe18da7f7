package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
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
  private final MemorySegment bias;
  private final int columns;
  private final int chunkRows;
  private final WorkerPool pool;
  private final RowKernels kernels;
  private @Nullable HostStep step;

  MoeBiasKernel(Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    this.kernels = kernels;
    this.pool = pool;
    x = operands.value(node.value(0));
    bias = DecodedWeights.of(Blocks.decode(operands.weight(node.weight(1))));
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
    int lastExpert = (int) (bias.byteSize() / (4L * columns)) - 1;
    int end = Math.min(y.rows(current), (chunk + 1) * chunkRows) * ids.columns();
    for (int slot = chunk * chunkRows * ids.columns(); slot < end; slot++) {
      int id = chosen.getAtIndex(ValueLayout.JAVA_INT, slot);
      int expert = Math.clamp(id, 0, lastExpert);
      long at = 4L * slot * columns;
      kernels.add(x.data(current), at, bias, 4L * expert * columns, y.data(current), at, columns);
    }
  }
}
