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
 * MatMul and ParallelMatMul by the Vector API: {@code y = x · Wᵀ} for one or several W of the same
 * x.
 *
 * <p>Threads: runs of weight rows, each with all rows of x. Traffic: the weights once for each
 * {@link VectorProduct#MOST_ROWS} rows of x.
 */
final class MatMulKernel implements Kernel, WorkerPool.Work {
  private final Product[] products;
  private final HostValue x;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final StepRows rows;
  private @Nullable HostStep step;

  /** One matrix and where its chunks begin and its result goes. */
  private record Product(VectorTiles weight, HostValue y, Chunks chunks) {}

  MatMulKernel(
      Node node, Lowering.Operands operands, WorkerPool pool, Scratch scratch, StepRows rows) {
    this.pool = pool;
    this.scratch = scratch;
    this.rows = rows;
    x = operands.value(node.value(0));
    products = new Product[node.outputs().size()];
    int chunks = 0;
    for (int i = 0; i < products.length; i++) {
      VectorTiles weight = VectorTiles.of(node.weight(i + 1), 1, operands);
      HostValue y = operands.value(node.outputs().get(i));
      products[i] = new Product(weight, y, VectorProduct.chunks(chunks, weight));
      chunks = products[i].chunks().end();
    }
    rows.reserve(operands.limits().tokens(), x.columns());
    VectorProduct.reserve(scratch, operands.limits().tokens(), x.columns(), 1);
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    if (x.rows(newStep) > 0) {
      rows.fill(x.data(newStep), x.rows(newStep), x.columns(), pool);
      pool.run(products[products.length - 1].chunks().end(), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    int index = 0;
    while (chunk >= products[index].chunks().end()) {
      index++;
    }
    Product product = products[index];
    HostStep current = Objects.requireNonNull(step);
    MemorySegment y = product.y().data(current);
    long rowBytes = product.y().type().rowBytes();
    int last = product.chunks().lastRow(chunk);
    float[] results = scratch.of(Scratch.Kind.PRODUCTS, thread);
    for (int row = product.chunks().firstRow(chunk); row < last; row += VectorProduct.ROWS) {
      int count = Math.min(VectorProduct.ROWS, last - row);
      for (int begin = 0; begin < rows.count(); begin += VectorProduct.MOST_ROWS) {
        int some = Math.min(VectorProduct.MOST_ROWS, rows.count() - begin);
        rows.multiply(product.weight(), row, begin, some, scratch, thread, results);
        for (int t = 0; t < some; t++) {
          VectorProduct.store(results, t, count, y, (begin + t) * rowBytes + 4L * row);
        }
      }
    }
  }
}
