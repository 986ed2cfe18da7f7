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
 * SelectColumns: one number after the other, from anywhere in a row, which lies in a core's own
 * cache. Threads: runs of rows, of about 16384 elements.
 */
final class SelectColumnsKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 16 * 1024;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

  private final HostValue x;
  private final HostValue y;
  private final int[] columns;
  private final int chunkRows;
  private final WorkerPool pool;
  private @Nullable HostStep step;

  SelectColumnsKernel(Node node, Lowering.Operands operands, WorkerPool pool) {
    this.pool = pool;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    float[] numbers = Blocks.decode(operands.weight(node.weight(1)));
    columns = new int[numbers.length];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = Math.clamp((int) numbers[i], 0, x.columns() - 1);
    }
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
    MemorySegment source = x.data(current);
    MemorySegment target = y.data(current);
    int end = Math.min(y.rows(current), (chunk + 1) * chunkRows);
    for (int row = chunk * chunkRows; row < end; row++) {
      long from = (long) row * x.columns();
      long to = (long) row * columns.length;
      for (int i = 0; i < columns.length; i++) {
        target.setAtIndex(FLOAT, to + i, source.getAtIndex(FLOAT, from + columns[i]));
      }
    }
  }
}
