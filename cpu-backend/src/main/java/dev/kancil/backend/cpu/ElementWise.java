package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Op;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Activate, Add, Clamp, ClampedGlu, Glu, Scale and SoftCap: y[i] from a[i] and, where there is one,
 * b[i]. Bound by memory, 8 or 12 bytes an element. Threads: runs of elements.
 */
final class ElementWise implements Kernel, WorkerPool.Work {
  private static final int CHUNK = 16 * 1024;

  private final Op op;
  private final WorkerPool pool;
  private final RowKernels kernels;
  private final HostValue a;
  private final @Nullable HostValue b;
  private final HostValue y;
  private @Nullable HostStep step;

  ElementWise(Op op, Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    this.op = op;
    this.pool = pool;
    this.kernels = kernels;
    a = operands.value(node.value(0));
    b = node.inputs().size() == 2 ? operands.value(node.value(1)) : null;
    y = operands.value(node.output());
  }

  private long elements(HostStep current) {
    return (long) y.rows(current) * y.columns();
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    pool.run(Math.toIntExact(Math.ceilDiv(elements(newStep), CHUNK)), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    long from = (long) chunk * CHUNK;
    int count = (int) Math.min(CHUNK, elements(current) - from);
    kernels.apply(
        op,
        a.data(current),
        b == null ? null : b.data(current),
        y.data(current),
        4 * from,
        count,
        thread);
  }
}
