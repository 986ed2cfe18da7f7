package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * RmsNorm: {@code y = w · x / sqrt(mean(x²) + eps)} over each group of a row; and AddRmsNorm, which
 * first writes the sum that it norms.
 *
 * <p>Threads: runs of rows, of about 8192 elements. Traffic: a row is read twice, the second time
 * from the first-level cache. Squares are summed in float32, in sums beside each other.
 */
final class RmsNormKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 8192;

  private final WorkerPool pool;
  private final RowKernels kernels;
  private final HostValue x;
  private final @Nullable HostValue added;
  private final HostValue sum;
  private final HostValue y;
  private final float epsilon;
  private final MemorySegment weight;
  private final int rowsPerChunk;
  private @Nullable HostStep step;

  private RmsNormKernel(
      HostValue x,
      @Nullable HostValue added,
      HostValue sum,
      HostValue y,
      float epsilon,
      Weight weight,
      Lowering.Operands operands,
      WorkerPool pool,
      RowKernels kernels) {
    this.pool = pool;
    this.kernels = kernels;
    this.x = x;
    this.added = added;
    this.sum = sum;
    this.y = y;
    this.epsilon = epsilon;
    this.weight = DecodedWeights.of(Blocks.decode(operands.weight(weight)));
    this.rowsPerChunk = Math.max(1, CHUNK_ELEMENTS / x.columns());
  }

  static RmsNormKernel norm(
      float epsilon, Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    HostValue x = operands.value(node.value(0));
    HostValue y = operands.value(node.output());
    return new RmsNormKernel(x, null, x, y, epsilon, node.weight(1), operands, pool, kernels);
  }

  static RmsNormKernel addAndNorm(
      float epsilon, Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    return new RmsNormKernel(
        operands.value(node.value(0)),
        operands.value(node.value(1)),
        operands.value(node.outputs().get(0)),
        operands.value(node.outputs().get(1)),
        epsilon,
        node.weight(2),
        operands,
        pool,
        kernels);
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    pool.run(Math.ceilDiv(y.rows(newStep), rowsPerChunk), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    MemorySegment source = x.data(current);
    MemorySegment total = sum.data(current);
    MemorySegment target = y.data(current);
    int end = Math.min(y.rows(current), (chunk + 1) * rowsPerChunk);
    long rowBytes = y.type().rowBytes();
    for (long at = chunk * rowsPerChunk * rowBytes; at < end * rowBytes; at += rowBytes) {
      if (added != null) {
        kernels.add(source, at, added.data(current), at, total, at, y.columns());
      }
      for (long group = at; group < at + rowBytes; group += weight.byteSize()) {
        kernels.rmsNorm(total, group, weight, epsilon, target, group);
      }
    }
  }
}
