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
 * MoeMatMul and MoeGluMatMul by native kernels: {@code y[s] = x[s] · W[e]ᵀ} for each slot s and its
 * expert e.
 *
 * <p>Threads: runs of an expert's tiles, each with all slots of the expert, whose rows of x lie
 * beside each other. Traffic: the weights of each expert that has a slot once.
 */
final class TiledMoeMatMulKernel implements Kernel, WorkerPool.Work {
  private final @Nullable Activation activation;
  private final HostValue x;
  private final HostValue ids;
  private final HostValue y;
  private final TiledWeight gate;
  private final TiledWeight up;
  private final TileRuns runs;
  private final int experts;
  private final int slotsOfInput;
  private final WorkerPool pool;
  private final NativeRows kernels;
  private final ExpertSlots slots;
  private final SlotRows rows;
  private final WaitingProducts gates;
  private final WaitingProducts ups;
  // Experts that have slots, of this step.
  private final int[] busy;
  private @Nullable HostStep step;

  TiledMoeMatMulKernel(
      Node node,
      Lowering.Operands operands,
      NativeLibrary library,
      WorkerPool pool,
      Scratch scratch,
      NativeRows kernels,
      ExpertSlots slots,
      SlotRows rows) {
    activation = node.op() instanceof MoeGluMatMul(var wanted) ? wanted : null;
    this.pool = pool;
    this.kernels = kernels;
    this.slots = slots;
    this.rows = rows;
    x = operands.value(node.value(0));
    experts = Math.toIntExact(node.weight(1).shape().dimension(0));
    gate = TiledWeight.of(library, node.weight(1), experts, operands);
    up = activation == null ? gate : TiledWeight.of(library, node.weight(2), experts, operands);
    ids = operands.value(node.value(node.inputs().size() - 1));
    y = operands.value(node.output());
    slotsOfInput = MoeMatMul.isApart(node.value(0), node.weight(1)) ? 1 : ids.columns();
    runs = TileRuns.of(0, gate, pool.threads());
    busy = new int[experts];
    int mostSlots = Math.multiplyExact(operands.limits().tokens(), ids.columns());
    slots.reserve(experts, mostSlots);
    rows.reserve(mostSlots, gate.columns(), gate.product());
    gates = new WaitingProducts(runs, mostSlots, pool.threads(), scratch, 0);
    ups =
        activation == null
            ? gates
            : new WaitingProducts(runs, mostSlots, pool.threads(), scratch, 1);
  }

  /** Whether both matrices of a node take x alike. */
  static boolean takes(Node node, NativeLibrary library) {
    return !(node.op() instanceof MoeGluMatMul)
        || library.product(node.weight(1).type()).takesLike(library.product(node.weight(2).type()));
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    slots.sort(ids.data(newStep), x.rows(newStep) * ids.columns(), experts);
    rows.fill(x.data(newStep), gate.columns(), slotsOfInput, gate.product(), experts, pool);
    int count = 0;
    for (int expert = 0; expert < experts; expert++) {
      if (slots.count(expert) > 0) {
        busy[count++] = expert;
      }
    }
    pool.run(count * runs.end(), this);
  }

  @Override
  public void run(int chunk, int thread) {
    int expert = busy[chunk / runs.end()];
    int run = chunk % runs.end();
    int slotCount = slots.count(expert);
    int first = runs.firstTile(run) * TileProduct.ROWS;
    int count = gate.rows(runs.firstTile(run), runs.count(run));
    MemorySegment target = y.data(Objects.requireNonNull(step));
    for (int begin = 0; begin < slotCount; begin += WaitingProducts.ROWS) {
      int some = WaitingProducts.count(begin, slotCount);
      int slot = Math.min(begin, slotCount - some);
      MemorySegment results = multiply(gates, gate, expert, run, slot, some, thread);
      if (activation != null) {
        MemorySegment factors = multiply(ups, up, expert, run, slot, some, thread);
        kernels.glu(activation, results.address(), factors.address(), some * count);
      }
      for (int i = 0; i < some; i++) {
        long to = 4L * slots.slot(expert, slot + i) * gate.groupRows() + 4L * first;
        MemorySegment.copy(results, 4L * i * count, target, to, 4L * count);
      }
    }
  }

  private MemorySegment multiply(
      WaitingProducts products,
      TiledWeight weight,
      int expert,
      int run,
      int slot,
      int some,
      int thread) {
    return products.of(
        weight,
        expert,
        run,
        rows.address(expert) + slot * rows.rowBytes(),
        rows.rowBytes(),
        some,
        weight.product().form(slots.count(expert)),
        thread);
  }
}
