package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Bias: the same vector added to each row. Bound by memory, 8 bytes an element. Threads: runs of
 * rows, of about 16384 elements.
 */
final class BiasKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 16 * 1024;

  private final WorkerPool pool;
  private final RowKernels kernels;
  private final HostValue x;
  private final HostValue y;
  private final MemorySegment bias;
  private final int rowsPerChunk;
  private @Nullable HostStep step;

  BiasKernel(Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    this.pool = pool;
    this.kernels = kernels;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    bias = DecodedWeights.of(Blocks.decode(operands.weight(node.weight(1))));
    rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / x.columns());
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    pool.run(Math.ceilDiv(y.rows(newStep), rowsPerChunk), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int end = Math.min(y.rows(current), (chunk + 1) * rowsPerChunk);
    for (int row = chunk * rowsPerChunk; row < end; row++) {
      long at = row * x.type().rowBytes();
      kernels.add(x.data(current), at, bias, 0, y.data(current), at, x.columns());
    }
  }
}
