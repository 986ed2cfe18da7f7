package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.backend.host.NativeMemory;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Activation;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * GluMatMul by native kernels: {@code activation(x · Gᵀ) · (x · Uᵀ)}. The same tiles of both
 * matrices and some rows of x make a piece, so that the products meet in the thread's cache and
 * only their combination is stored.
 */
final class TiledGluMatMulKernel implements Kernel, WorkerPool.Work {
  /** Rows of x whose products wait for each other. */
  private static final int ROWS_AT_ONCE = 60;

  private final Activation activation;
  private final HostValue x;
  private final HostValue y;
  private final TiledWeight gate;
  private final TiledWeight up;
  private final TileRuns runs;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final RoundedRows rounded;
  private final boolean rounds;
  private final MemorySegment[] products;
  private @Nullable HostStep step;

  TiledGluMatMulKernel(
      Activation activation,
      Node node,
      Lowering.Operands operands,
      NativeLibrary library,
      WorkerPool pool,
      Scratch scratch,
      RoundedRows rounded) {
    this.activation = activation;
    this.pool = pool;
    this.scratch = scratch;
    this.rounded = rounded;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    gate = TiledWeight.of(library, node.weight(1), 1, operands);
    up = TiledWeight.of(library, node.weight(2), 1, operands);
    runs = TileRuns.of(0, gate, pool.threads());
    rounds = gate.product().takesRounded() || up.product().takesRounded();
    if (rounds) {
      rounded.reserve(operands.limits().tokens(), x.columns());
    }
    int rows = Math.min(ROWS_AT_ONCE, operands.limits().tokens());
    int floats = rows * runs.perChunk() * TileProduct.ROWS;
    products = new MemorySegment[pool.threads()];
    for (int i = 0; i < products.length; i++) {
      products[i] = NativeMemory.allocate(4L * floats, Arena.ofAuto(), "products");
    }
    scratch.reserve(Scratch.Kind.PRODUCTS, Lanes.padded(floats));
    scratch.reserve(Scratch.Kind.SECOND_PRODUCTS, Lanes.padded(floats));
    scratch.reserve(Scratch.Kind.EXPRESSION, Lanes.padded(floats));
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    int rows = x.rows(newStep);
    if (rows > 0) {
      if (rounds) {
        rounded.round(x.data(newStep), rows, x.columns(), pool);
      }
      pool.run(runs.end(), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int rows = x.rows(current);
    int first = runs.firstTile(chunk);
    int count = gate.rows(first, runs.count(chunk));
    float[] gates = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] ups = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
    float[] room = scratch.of(Scratch.Kind.EXPRESSION, thread);
    MemorySegment target = y.data(current);
    for (int begin = 0; begin < rows; begin += ROWS_AT_ONCE) {
      // The last ones together with some of those before, which come out alike.
      int some = Math.min(ROWS_AT_ONCE, rows);
      int row = Math.min(begin, rows - some);
      multiply(gate, chunk, row, some, count, current, thread, gates);
      multiply(up, chunk, row, some, count, current, thread, ups);
      // What lies behind the last product, up to a whole vector, is computed and never read.
      VectorMath.glu(activation, gates, ups, room, Lanes.padded(some * count));
      for (int i = 0; i < some; i++) {
        long to = (row + i) * y.type().rowBytes() + 4L * first * TileProduct.ROWS;
        MemorySegment.copy(gates, i * count, target, ValueLayout.JAVA_FLOAT, to, count);
      }
    }
  }

  private void multiply(
      TiledWeight weight,
      int chunk,
      int row,
      int rows,
      int count,
      HostStep current,
      int thread,
      float[] results) {
    boolean takesRounded = weight.product().takesRounded();
    int parts = TileProduct.parts(x.rows(current));
    long rowBytes = takesRounded ? rounded.rowBytes() : 4L * x.columns();
    long begin = takesRounded ? rounded.address(0) : x.data(current).address();
    weight.multiply(
        0,
        runs.firstTile(chunk),
        runs.count(chunk),
        begin + row * rowBytes,
        rowBytes,
        rows,
        parts,
        products[thread].address(),
        count);
    MemorySegment.copy(products[thread], ValueLayout.JAVA_FLOAT, 0, results, 0, rows * count);
  }
}
