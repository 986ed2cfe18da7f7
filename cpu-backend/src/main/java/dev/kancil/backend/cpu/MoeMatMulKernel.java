package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * MoeMatMul: {@code y[s] = x[s] · W[e]ᵀ} for each slot s and its expert e; and MoeGluMatMul, with
 * two W.
 *
 * <p>Threads: runs of an expert's weight rows, each with all slots of the expert: one as it lies,
 * with weights unpacked in registers; a few as they lie, with a panel of decoded weights; many
 * packed. Traffic: the weights of each expert that has a slot once, whatever the number of slots.
 */
final class MoeMatMulKernel implements Kernel, WorkerPool.Work {
  private final @Nullable Activation activation;
  private final HostValue x;
  private final HostValue ids;
  private final HostValue y;
  private final WeightRows gate;
  private final WeightRows up;
  private final int experts;
  private final int out;
  private final int slotsOfInput;
  private final int dotRows;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final Activations[] activations;
  private final ExpertSlots slots;
  private final PackedSlots packed;
  // Of each expert the number of its first chunk, and at last that of all chunks.
  private final int[] chunks;
  // Which row of x each thread's activations are.
  private final int[] loaded;
  private @Nullable HostStep step;

  MoeMatMulKernel(
      Node node,
      Lowering.Operands operands,
      WorkerPool pool,
      Scratch scratch,
      Activations[] activations,
      ExpertSlots slots,
      PackedSlots packed) {
    this.activation = node.op() instanceof MoeGluMatMul(var wanted) ? wanted : null;
    this.pool = pool;
    this.scratch = scratch;
    this.activations = activations;
    this.slots = slots;
    this.packed = packed;
    x = operands.value(node.value(0));
    gate = WeightRows.of(operands.weight(node.weight(1)));
    up = activation == null ? gate : WeightRows.of(operands.weight(node.weight(2)));
    ids = operands.value(node.value(node.inputs().size() - 1));
    y = operands.value(node.output());
    out = y.columns() / ids.columns();
    experts = gate.rows() / out;
    slotsOfInput = MoeMatMul.isApart(node.value(0), node.weight(1)) ? 1 : ids.columns();
    dotRows = Chunks.dots(0, gate).perChunk();
    chunks = new int[experts + 1];
    loaded = new int[pool.threads()];
    int mostSlots = Math.multiplyExact(operands.limits().tokens(), ids.columns());
    slots.reserve(experts, mostSlots);
    packed.reserve(experts, mostSlots, gate.columns());
    for (Activations each : activations) {
      each.reserve(gate.columns());
    }
    PanelProduct.reserve(scratch, gate.columns());
    if (activation != null) {
      long panel = (long) PanelProduct.PANEL_ROWS * Scratch.padded(gate.columns());
      scratch.reserve(Scratch.Kind.SECOND_PANEL, panel);
      scratch.reserve(Scratch.Kind.SECOND_PRODUCTS, PanelProduct.products());
      scratch.reserve(Scratch.Kind.EXPRESSION, PanelProduct.products());
    }
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    slots.sort(ids.data(newStep), x.rows(newStep) * ids.columns(), experts);
    packed.pack(x.data(newStep), gate.columns(), slotsOfInput, experts, pool);
    for (int expert = 0; expert < experts; expert++) {
      int rows = rowsOfChunk(slots.count(expert));
      chunks[expert + 1] = chunks[expert] + (rows == 0 ? 0 : Math.ceilDiv(out, rows));
    }
    Arrays.fill(loaded, -1);
    pool.run(chunks[experts], this);
  }

  /** Weight rows of a chunk of an expert with so many slots. */
  private int rowsOfChunk(int count) {
    return switch (count) {
      case 0 -> 0;
      case 1 -> dotRows;
      default -> PanelProduct.PANEL_ROWS;
    };
  }

  @Override
  public void run(int chunk, int thread) {
    int expert = expert(chunk);
    int rows = rowsOfChunk(slots.count(expert));
    int first = (chunk - chunks[expert]) * rows;
    int count = Math.min(rows, out - first);
    MemorySegment input = x.data(Objects.requireNonNull(step));
    MemorySegment target = y.data(Objects.requireNonNull(step));
    if (slots.count(expert) == 1) {
      dots(expert, first, count, input, target, thread);
    } else {
      panel(expert, first, count, input, target, thread);
    }
  }

  /** The expert whose chunk this is: the last that begins at it or before. */
  private int expert(int chunk) {
    int low = 0;
    int high = experts;
    while (high - low > 1) {
      int middle = (low + high) >>> 1;
      if (chunks[middle] <= chunk) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private void dots(
      int expert, int first, int count, MemorySegment input, MemorySegment target, int thread) {
    int slot = slots.slot(expert, 0);
    int row = slot / slotsOfInput;
    if (loaded[thread] != row) {
      activations[thread].load(input, inputAt(slot), gate.columns());
      loaded[thread] = row;
    }
    float[] products = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] decoded = scratch.of(Scratch.Kind.PANEL, thread);
    int weightRow = expert * out + first;
    activations[thread].multiply(gate, weightRow, count, decoded, products);
    if (activation != null) {
      float[] ups = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
      activations[thread].multiply(up, weightRow, count, decoded, ups);
      // What lies behind the last product, up to a whole vector, is computed and never read.
      glu(activation, products, ups, Scratch.padded(count), thread);
    }
    MemorySegment.copy(
        products, 0, target, ValueLayout.JAVA_FLOAT, outputAt(slot) + 4L * first, count);
  }

  private void panel(
      int expert, int first, int count, MemorySegment input, MemorySegment target, int thread) {
    int stride = Scratch.padded(gate.columns());
    float[] gatePanel = scratch.of(Scratch.Kind.PANEL, thread);
    float[] upPanel = scratch.of(Scratch.Kind.SECOND_PANEL, thread);
    gate.decode(expert * out + first, count, gatePanel, stride);
    if (activation != null) {
      up.decode(expert * out + first, count, upPanel, stride);
    }
    float[] products = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] ups = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
    int slotCount = slots.count(expert);
    if (slotCount <= PanelProduct.FEW_ROWS) {
      for (int i = 0; i < slotCount; i += 2) {
        int some = Math.min(2, slotCount - i);
        pair(expert, i, some, input, gatePanel, count, products);
        if (activation != null) {
          pair(expert, i, some, input, upPanel, count, ups);
          glu(activation, products, ups, some * PanelProduct.PANEL_ROWS, thread);
        }
        for (int t = 0; t < some; t++) {
          long to = outputAt(slots.slot(expert, i + t)) + 4L * first;
          int from = t * PanelProduct.PANEL_ROWS;
          MemorySegment.copy(products, from, target, ValueLayout.JAVA_FLOAT, to, count);
        }
      }
    } else {
      for (int group = 0; group < packed.groups(expert); group++) {
        packed.multiply(expert, group, gatePanel, stride, count, products);
        if (activation != null) {
          packed.multiply(expert, group, upPanel, stride, count, ups);
          glu(activation, products, ups, count * PackedTiles.WIDTH, thread);
        }
        packed.store(expert, group, products, target, out, first, count);
      }
    }
  }

  /** One or two slots of an expert, whose inputs lie as far apart as they happen to. */
  private void pair(
      int expert,
      int index,
      int some,
      MemorySegment input,
      float[] panel,
      int count,
      float[] results) {
    long at = inputAt(slots.slot(expert, index));
    Tiles.multiply(
        input,
        at,
        inputAt(slots.slot(expert, index + some - 1)) - at,
        some,
        panel,
        Scratch.padded(gate.columns()),
        Tiles.panelRows(count),
        gate.columns(),
        results,
        PanelProduct.PANEL_ROWS);
  }

  private void glu(Activation function, float[] gates, float[] ups, int count, int thread) {
    VectorMath.glu(function, gates, ups, scratch.of(Scratch.Kind.EXPRESSION, thread), count);
  }

  /** Where a slot's input begins, in bytes. */
  private long inputAt(int slot) {
    return 4L * (slot / slotsOfInput) * gate.columns();
  }

  /** Where a slot's output begins, in bytes. */
  private long outputAt(int slot) {
    return 4L * slot * out;
  }
}
