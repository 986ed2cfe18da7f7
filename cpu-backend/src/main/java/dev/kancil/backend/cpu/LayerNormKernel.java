package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * LayerNorm: {@code y = w · (x - mean) / sqrt(variance + eps) + b} over each group of a row. A
 * weight that is absent is ones, a bias zeros.
 *
 * <p>Threads: runs of rows, of about 8192 elements. Traffic: a row is read three times, but for the
 * first from the first-level cache. The mean, then the squares of what differs from it, are summed
 * in float32, in sums beside each other.
 */
final class LayerNormKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ELEMENTS = 8192;

  private final WorkerPool pool;
  private final RowKernels kernels;
  private final HostValue x;
  private final HostValue y;
  private final LayerNorm op;
  private final MemorySegment weightAndBias;
  private final int rowsPerChunk;
  private @Nullable HostStep step;

  LayerNormKernel(
      LayerNorm op, Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    this.op = op;
    this.pool = pool;
    this.kernels = kernels;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    int inputs = node.inputs().size();
    float[] weight = new float[op.group()];
    if (inputs > 1) {
      weight = Blocks.decode(operands.weight(node.weight(1)));
    } else {
      Arrays.fill(weight, 1);
    }
    weightAndBias =
        DecodedWeights.of(
            weight,
            inputs > 2 ? Blocks.decode(operands.weight(node.weight(2))) : new float[op.group()]);
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
    MemorySegment from = x.data(current);
    MemorySegment to = y.data(current);
    int end = Math.min(y.rows(current), (chunk + 1) * rowsPerChunk);
    long rowBytes = y.type().rowBytes();
    long groupBytes = 4L * op.group();
    for (long at = chunk * rowsPerChunk * rowBytes; at < end * rowBytes; at += groupBytes) {
      kernels.layerNorm(from, at, weightAndBias, op.epsilon(), to, at);
    }
  }
}
