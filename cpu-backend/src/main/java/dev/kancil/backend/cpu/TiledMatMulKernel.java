package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * MatMul and ParallelMatMul by native kernels: {@code y = x · Wᵀ} for one or several W of the same
 * x.
 *
 * <p>Threads: runs of tiles, each with all rows of x, which are rounded once for all matrices.
 */
final class TiledMatMulKernel implements Kernel, WorkerPool.Work {
  private final Product[] products;
  private final HostValue x;
  private final WorkerPool pool;
  private final RoundedRows rounded;
  private @Nullable HostStep step;

  private record Product(TiledWeight weight, HostValue y, TileRuns runs) {}

  TiledMatMulKernel(
      Node node,
      Lowering.Operands operands,
      NativeLibrary library,
      WorkerPool pool,
      RoundedRows rounded) {
    this.pool = pool;
    this.rounded = rounded;
    x = operands.value(node.value(0));
    products = new Product[node.outputs().size()];
    int chunks = 0;
    for (int i = 0; i < products.length; i++) {
      TiledWeight weight = TiledWeight.of(library, node.weight(i + 1), 1, operands);
      TileRuns runs = TileRuns.of(chunks, weight, pool.threads());
      products[i] = new Product(weight, operands.value(node.outputs().get(i)), runs);
      chunks = runs.end();
      rounded.reserve(operands.limits().tokens(), x.columns(), weight.product());
    }
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    int rows = x.rows(newStep);
    if (rows > 0) {
      rounded.begin(x.data(newStep), rows, x.columns());
      for (Product product : products) {
        rounded.fill(product.weight().product(), pool);
      }
      pool.run(products[products.length - 1].runs().end(), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int index = 0;
    while (chunk >= products[index].runs().end()) {
      index++;
    }
    Product product = products[index];
    TiledWeight weight = product.weight();
    int first = product.runs().firstTile(chunk);
    RowForm form = weight.product().form(x.rows(current));
    weight.multiply(
        0,
        first,
        product.runs().count(chunk),
        rounded.address(0, form),
        rounded.rowBytes(form),
        x.rows(current),
        form,
        product.y().data(current).address() + 4L * first * TileProduct.ROWS,
        product.y().columns());
  }
}
