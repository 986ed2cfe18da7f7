package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Activation;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * GluMatMul by the Vector API: {@code activation(x · Gᵀ) · (x · Uᵀ)}. The same rows of both
 * matrices make a chunk, so that the products meet in the thread's cache and only their combination
 * is stored.
 */
final class GluMatMulKernel implements Kernel, WorkerPool.Work {
  private final Activation activation;
  private final HostValue x;
  private final HostValue y;
  private final VectorTiles gate;
  private final VectorTiles up;
  private final Chunks chunks;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final StepRows rows;
  private @Nullable HostStep step;

  GluMatMulKernel(
      Activation activation,
      Node node,
      Lowering.Operands operands,
      WorkerPool pool,
      Scratch scratch,
      StepRows rows) {
    this.activation = activation;
    this.pool = pool;
    this.scratch = scratch;
    this.rows = rows;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    gate = VectorTiles.of(node.weight(1), 1, operands);
    up = VectorTiles.of(node.weight(2), 1, operands);
    chunks = VectorProduct.chunks(0, gate);
    rows.reserve(operands.limits().tokens(), x.columns());
    VectorProduct.reserve(scratch, operands.limits().tokens(), x.columns(), 2);
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    if (x.rows(newStep) > 0) {
      rows.fill(x.data(newStep), x.rows(newStep), x.columns(), pool);
      pool.run(chunks.end(), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    MemorySegment target = y.data(Objects.requireNonNull(step));
    long rowBytes = y.type().rowBytes();
    float[] gates = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] ups = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
    float[] room = scratch.of(Scratch.Kind.EXPRESSION, thread);
    int last = chunks.lastRow(chunk);
    for (int row = chunks.firstRow(chunk); row < last; row += VectorProduct.ROWS) {
      int count = Math.min(VectorProduct.ROWS, last - row);
      for (int begin = 0; begin < rows.count(); begin += VectorProduct.MOST_ROWS) {
        int some = Math.min(VectorProduct.MOST_ROWS, rows.count() - begin);
        rows.multiply(gate, row, begin, some, scratch, thread, gates);
        rows.multiply(up, row, begin, some, scratch, thread, ups);
        // What no row of the weights has is computed, too, and never read.
        VectorMath.glu(activation, gates, ups, room, some * VectorProduct.ROWS);
        for (int t = 0; t < some; t++) {
          VectorProduct.store(gates, t, count, target, (begin + t) * rowBytes + 4L * row);
        }
      }
    }
  }
}
