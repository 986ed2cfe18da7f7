package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Activation;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * GluMatMul: {@code activation(x · Gᵀ) · (x · Uᵀ)}. The same rows of both matrices make a chunk, so
 * that the products meet in the thread's cache and only their combination is stored.
 */
final class GluMatMulKernel implements Kernel, WorkerPool.Work {
  private final Activation activation;
  private final HostValue x;
  private final HostValue y;
  private final WeightRows gate;
  private final WeightRows up;
  private final Chunks panels;
  private final Chunks dots;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final Activations activations;
  private final PackedRows packed;
  private @Nullable HostStep step;

  GluMatMulKernel(
      Activation activation,
      Node node,
      Lowering.Operands operands,
      WorkerPool pool,
      Scratch scratch,
      Activations activations,
      PackedRows packed) {
    this.activation = activation;
    this.pool = pool;
    this.scratch = scratch;
    this.activations = activations;
    this.packed = packed;
    x = operands.value(node.value(0));
    y = operands.value(node.output());
    gate = WeightRows.of(operands.weight(node.weight(1)));
    up = WeightRows.of(operands.weight(node.weight(2)));
    panels = Chunks.panels(0, gate);
    dots = Chunks.dots(0, gate);
    activations.reserve(x.columns());
    packed.reserve(operands.limits().tokens(), x.columns());
    PanelProduct.reserve(scratch, x.columns());
    scratch.reserve(
        Scratch.Kind.SECOND_PANEL, (long) PanelProduct.PANEL_ROWS * Scratch.padded(x.columns()));
    scratch.reserve(Scratch.Kind.SECOND_PRODUCTS, PanelProduct.products());
    scratch.reserve(Scratch.Kind.EXPRESSION, PanelProduct.products());
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    int rows = x.rows(newStep);
    if (rows == 1) {
      activations.load(x.data(newStep), x.columns());
      pool.run(dots.end(), this);
    } else if (rows > 1) {
      if (rows > PanelProduct.FEW_ROWS) {
        packed.pack(x, newStep, pool);
      }
      pool.run(panels.end(), this);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    int rows = x.rows(current);
    float[] gates = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] ups = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
    float[] room = scratch.of(Scratch.Kind.EXPRESSION, thread);
    MemorySegment target = y.data(current);
    if (rows == 1) {
      int first = dots.firstRow(chunk);
      int count = dots.rowCount(chunk);
      float[] decoded = scratch.of(Scratch.Kind.PANEL, thread);
      activations.multiply(gate, first, count, decoded, gates);
      activations.multiply(up, first, count, decoded, ups);
      // What lies behind the last product, up to a whole vector, is computed and never read.
      VectorMath.glu(activation, gates, ups, room, Scratch.padded(count));
      MemorySegment.copy(gates, 0, target, ValueLayout.JAVA_FLOAT, 4L * first, count);
    } else {
      panel(chunk, rows, current, gates, ups, room, target, thread);
    }
  }

  private void panel(
      int chunk,
      int rows,
      HostStep current,
      float[] gates,
      float[] ups,
      float[] room,
      MemorySegment target,
      int thread) {
    int first = panels.firstRow(chunk);
    int count = panels.rowCount(chunk);
    int stride = Scratch.padded(x.columns());
    float[] gatePanel = scratch.of(Scratch.Kind.PANEL, thread);
    float[] upPanel = scratch.of(Scratch.Kind.SECOND_PANEL, thread);
    gate.decode(first, count, gatePanel, stride);
    up.decode(first, count, upPanel, stride);
    if (rows <= PanelProduct.FEW_ROWS) {
      PanelProduct.multiplyFew(x, current, gatePanel, stride, count, gates);
      PanelProduct.multiplyFew(x, current, upPanel, stride, count, ups);
      VectorMath.glu(activation, gates, ups, room, rows * PanelProduct.PANEL_ROWS);
      for (int i = 0; i < rows; i++) {
        int from = i * PanelProduct.PANEL_ROWS;
        long to = i * y.type().rowBytes() + 4L * first;
        MemorySegment.copy(gates, from, target, ValueLayout.JAVA_FLOAT, to, count);
      }
    } else {
      for (int group = 0; group < packed.groups(); group++) {
        packed.multiply(group, gatePanel, stride, count, gates);
        packed.multiply(group, upPanel, stride, count, ups);
        VectorMath.glu(activation, gates, ups, room, count * PackedTiles.WIDTH);
        packed.store(group, gates, target, y.type().rowBytes(), first, count);
      }
    }
  }
}
