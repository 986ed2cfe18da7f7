package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Concatenate: columns of two values beside each other. Bound by memory, 8 bytes an element.
 * Threads: runs of rows, of about 16384 elements.
 */
final class ConcatenateKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 16 * 1024;

  private final int groups;
  private final HostValue a;
  private final HostValue b;
  private final HostValue y;
  private final int chunkRows;
  private final WorkerPool pool;
  private @Nullable HostStep step;

  ConcatenateKernel(int groups, Node node, Lowering.Operands operands, WorkerPool pool) {
    this.groups = groups;
    this.pool = pool;
    a = operands.value(node.value(0));
    b = operands.value(node.value(1));
    y = operands.value(node.output());
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
    MemorySegment target = y.data(current);
    long first = a.type().rowBytes() / groups;
    long second = b.type().rowBytes() / groups;
    int end = Math.min(y.rows(current), (chunk + 1) * chunkRows);
    for (long group = (long) chunk * chunkRows * groups; group < (long) end * groups; group++) {
      long at = group * (first + second);
      MemorySegment.copy(a.data(current), group * first, target, at, first);
      MemorySegment.copy(b.data(current), group * second, target, at + first, second);
    }
  }
}
