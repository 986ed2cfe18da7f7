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
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * MoeMatMul by the Vector API: {@code y[s] = x[s] · W[e]ᵀ} for each slot s and its expert e; and
 * MoeGluMatMul, with two W.
 *
 * <p>Threads: runs of an expert's weight rows, each with all slots of the expert. Traffic: the
 * weights of each expert that has a slot once for each {@link VectorProduct#MOST_ROWS} slots.
 */
final class MoeMatMulKernel implements Kernel, WorkerPool.Work {
  private final @Nullable Activation activation;
  private final HostValue x;
  private final HostValue ids;
  private final HostValue y;
  private final VectorTiles gate;
  private final VectorTiles up;
  private final Chunks chunks;
  private final int experts;
  private final int slotsOfInput;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final ExpertSlots slots;
  private final ExpertRows rows;
  // Experts that have slots, of this step.
  private final int[] busy;
  private @Nullable HostStep step;

  MoeMatMulKernel(
      Node node,
      Lowering.Operands operands,
      WorkerPool pool,
      Scratch scratch,
      ExpertSlots slots,
      ExpertRows rows) {
    activation = node.op() instanceof MoeGluMatMul(var wanted) ? wanted : null;
    this.pool = pool;
    this.scratch = scratch;
    this.slots = slots;
    this.rows = rows;
    x = operands.value(node.value(0));
    experts = Math.toIntExact(node.weight(1).shape().dimension(0));
    gate = VectorTiles.of(node.weight(1), experts, operands);
    up = activation == null ? gate : VectorTiles.of(node.weight(2), experts, operands);
    ids = operands.value(node.value(node.inputs().size() - 1));
    y = operands.value(node.output());
    slotsOfInput = MoeMatMul.isApart(node.value(0), node.weight(1)) ? 1 : ids.columns();
    chunks = VectorProduct.chunks(0, gate);
    busy = new int[experts];
    int mostSlots = Math.multiplyExact(operands.limits().tokens(), ids.columns());
    slots.reserve(experts, mostSlots);
    rows.reserve(experts, mostSlots, gate.columns());
    VectorProduct.reserve(scratch, mostSlots, gate.columns(), activation == null ? 1 : 2);
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    slots.sort(ids.data(newStep), x.rows(newStep) * ids.columns(), experts);
    rows.fill(x.data(newStep), gate.columns(), slotsOfInput, experts, pool);
    int count = 0;
    for (int expert = 0; expert < experts; expert++) {
      if (slots.count(expert) > 0) {
        busy[count++] = expert;
      }
    }
    pool.run(count * chunks.end(), this);
  }

  @Override
  public void run(int chunk, int thread) {
    int expert = busy[chunk / chunks.end()];
    int run = chunk % chunks.end();
    int last = chunks.lastRow(run);
    float[] results = scratch.of(Scratch.Kind.PRODUCTS, thread);
    MemorySegment target = y.data(Objects.requireNonNull(step));
    for (int row = chunks.firstRow(run); row < last; row += VectorProduct.ROWS) {
      int count = Math.min(VectorProduct.ROWS, last - row);
      for (int begin = 0; begin < slots.count(expert); begin += VectorProduct.MOST_ROWS) {
        int some = Math.min(VectorProduct.MOST_ROWS, slots.count(expert) - begin);
        rows.multiply(gate, expert, row, begin, some, scratch, thread, results);
        if (activation != null) {
          float[] ups = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
          float[] room = scratch.of(Scratch.Kind.EXPRESSION, thread);
          rows.multiply(up, expert, row, begin, some, scratch, thread, ups);
          // What no row of the weights has is computed, too, and never read.
          VectorMath.glu(activation, results, ups, room, some * VectorProduct.ROWS);
        }
        for (int t = 0; t < some; t++) {
          long slot = slots.slot(expert, begin + t);
          VectorProduct.store(results, t, count, target, 4 * (slot * gate.groupRows() + row));
        }
      }
    }
  }
}
