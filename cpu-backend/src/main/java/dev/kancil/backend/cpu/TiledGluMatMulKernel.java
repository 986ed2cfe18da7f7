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
 * GluMatMul by native kernels: {@code activation(x · Gᵀ) · (x · Uᵀ)}. The same tiles of both
 * matrices and some rows of x make a piece, so that the products meet in the thread's cache and
 * only their combination is stored.
 */
final class TiledGluMatMulKernel implements Kernel, WorkerPool.Work {
  private final Activation activation;
  private final HostValue x;
  private final HostValue y;
  private final TiledWeight gate;
  private final TiledWeight up;
  private final TileRuns runs;
  private final WorkerPool pool;
  private final NativeRows kernels;
  private final RoundedRows rounded;
  private final WaitingProducts gates;
  private final WaitingProducts ups;
  private @Nullable HostStep step;

  TiledGluMatMulKernel(
      Activation activation,
      Node node,
      Lowering.Operands operands,
      NativeLibrary library,
      WorkerPool pool,
      Scratch scratch,
      NativeRows kernels,
      RoundedRows rounded) {
    this.activation = activation;
    this.pool = pool;
    this.kernels = kernels;
    this.rounded = rounded;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    gate = TiledWeight.of(library, node.weight(1), 1, operands);
    up = TiledWeight.of(library, node.weight(2), 1, operands);
    runs = TileRuns.of(0, gate, pool.threads());
    rounded.reserve(operands.limits().tokens(), x.columns(), gate.product());
    rounded.reserve(operands.limits().tokens(), x.columns(), up.product());
    gates = new WaitingProducts(runs, operands.limits().tokens(), pool.threads(), scratch, 0);
    ups = new WaitingProducts(runs, operands.limits().tokens(), pool.threads(), scratch, 1);
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    int rows = x.rows(newStep);
    if (rows > 0) {
      rounded.begin(x.data(newStep), rows, x.columns());
      rounded.fill(gate.product(), pool);
      rounded.fill(up.product(), pool);
      pool.run(runs.end(), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int rows = x.rows(current);
    int first = runs.firstTile(chunk);
    int count = gate.rows(first, runs.count(chunk));
    MemorySegment target = y.data(current);
    for (int begin = 0; begin < rows; begin += WaitingProducts.ROWS) {
      int some = WaitingProducts.count(begin, rows);
      int row = Math.min(begin, rows - some);
      MemorySegment results = multiply(gates, gate, chunk, row, some, current, thread);
      MemorySegment factors = multiply(ups, up, chunk, row, some, current, thread);
      kernels.glu(activation, results.address(), factors.address(), some * count);
      for (int i = 0; i < some; i++) {
        long to = (row + i) * y.type().rowBytes() + 4L * first * TileProduct.ROWS;
        MemorySegment.copy(results, 4L * i * count, target, to, 4L * count);
      }
    }
  }

  private MemorySegment multiply(
      WaitingProducts products,
      TiledWeight weight,
      int run,
      int row,
      int rows,
      HostStep current,
      int thread) {
    RowForm form = weight.product().form(x.rows(current));
    return products.of(
        weight, 0, run, rounded.address(row, form), rounded.rowBytes(form), rows, form, thread);
  }
}
