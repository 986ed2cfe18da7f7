package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * MatMul and ParallelMatMul: {@code y = x · Wᵀ} for one or several W of the same x.
 *
 * <p>Threads: runs of weight rows, each with all rows of x. Traffic: the weights once, whatever the
 * number of rows; x from the second-level cache once for each run.
 */
final class MatMulKernel implements Kernel, WorkerPool.Work {
  private final Product[] products;
  private final HostValue x;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final Activations activations;
  private final PackedRows packed;
  private @Nullable HostStep step;

  /** One matrix and where its chunks begin and its result goes. */
  private record Product(WeightRows weight, HostValue y, Chunks panels, Chunks dots) {}

  MatMulKernel(
      Node node,
      Lowering.Operands operands,
      WorkerPool pool,
      Scratch scratch,
      Activations activations,
      PackedRows packed) {
    this.pool = pool;
    this.scratch = scratch;
    this.activations = activations;
    this.packed = packed;
    x = operands.value(node.value(0));
    activations.reserve(x.columns());
    packed.reserve(operands.limits().tokens(), x.columns());
    products = new Product[node.outputs().size()];
    int panels = 0;
    int dots = 0;
    for (int i = 0; i < products.length; i++) {
      WeightRows weight = WeightRows.of(operands.weight(node.weight(i + 1)));
      products[i] =
          new Product(
              weight,
              operands.value(node.outputs().get(i)),
              Chunks.panels(panels, weight),
              Chunks.dots(dots, weight));
      panels = products[i].panels().end();
      dots = products[i].dots().end();
    }
    PanelProduct.reserve(scratch, x.columns());
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    int rows = x.rows(newStep);
    Product last = products[products.length - 1];
    if (rows == 1) {
      activations.load(x.data(newStep), x.columns());
      pool.run(last.dots().end(), this);
    } else if (rows > 1) {
      if (rows > PanelProduct.FEW_ROWS) {
        packed.pack(x, newStep, pool);
      }
      pool.run(last.panels().end(), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int rows = x.rows(current);
    for (Product product : products) {
      Chunks chunks = rows == 1 ? product.dots() : product.panels();
      if (chunk < chunks.end()) {
        if (rows == 1) {
          dots(product, chunks, chunk, product.y().data(current), thread);
        } else {
          panel(product, chunks, chunk, rows, current, thread);
        }
        return;
      }
    }
  }

  private void dots(Product product, Chunks chunks, int chunk, MemorySegment y, int thread) {
    int first = chunks.firstRow(chunk);
    int count = chunks.rowCount(chunk);
    float[] results = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] decoded = scratch.of(Scratch.Kind.PANEL, thread);
    activations.multiply(product.weight(), first, count, decoded, results);
    MemorySegment.copy(results, 0, y, ValueLayout.JAVA_FLOAT, 4L * first, count);
  }

  private void panel(
      Product product, Chunks chunks, int chunk, int rows, HostStep current, int thread) {
    int first = chunks.firstRow(chunk);
    int count = chunks.rowCount(chunk);
    float[] panel = scratch.of(Scratch.Kind.PANEL, thread);
    float[] results = scratch.of(Scratch.Kind.PRODUCTS, thread);
    int stride = Scratch.padded(x.columns());
    product.weight().decode(first, count, panel, stride);
    MemorySegment y = product.y().data(current);
    long yRowBytes = product.y().type().rowBytes();
    if (rows <= PanelProduct.FEW_ROWS) {
      PanelProduct.multiplyFew(x, current, panel, stride, count, results);
      for (int i = 0; i < rows; i++) {
        int from = i * PanelProduct.PANEL_ROWS;
        long to = i * yRowBytes + 4L * first;
        MemorySegment.copy(results, from, y, ValueLayout.JAVA_FLOAT, to, count);
      }
    } else {
      for (int group = 0; group < packed.groups(); group++) {
        packed.multiply(group, panel, stride, count, results);
        packed.store(group, results, y, yRowBytes, first, count);
      }
    }
  }
}
