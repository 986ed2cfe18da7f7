package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * MoeSum: {@code y[r] = Σₛ w[r, s] · x[r, s]}. Bound by memory: 4 bytes for each element of x.
 * Threads: runs of rows. Slots are added in their order.
 */
final class MoeSumKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 16 * 1024;

  private final HostValue x;
  private final HostValue weights;
  private final HostValue y;
  private final int chunkRows;
  private final WorkerPool pool;
  private final RowKernels kernels;
  private @Nullable HostStep step;

  MoeSumKernel(Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    this.kernels = kernels;
    this.pool = pool;
    x = operands.value(node.value(0));
    weights = operands.value(node.value(1));
    y = operands.value(node.output());
    chunkRows = Math.max(1, CHUNK_ELEMENTS / x.columns());
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    pool.run(Math.ceilDiv(y.rows(newStep), chunkRows), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int end = Math.min(y.rows(current), (chunk + 1) * chunkRows);
    for (int row = chunk * chunkRows; row < end; row++) {
      kernels.weightedSum(
          x.data(current),
          row * x.type().rowBytes(),
          weights.data(current),
          row * weights.type().rowBytes(),
          weights.columns(),
          y.data(current),
          row * y.type().rowBytes(),
          y.columns());
    }
  }
}
