package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Attention over paged keys and values; with a {@link Prologue}, RopeAttention.
 *
 * <p>Threads: chunks of tiles of rows of a sequence, as {@link AttentionPlan} says, so that the
 * query heads that share a KV head read it once. Traffic: the keys and values that the tile's mask
 * lets it see, once for each tile.
 */
final class AttentionKernel implements Kernel, WorkerPool.Work {
  private final Attention op;
  private final @Nullable Prologue prologue;
  private final HostValue q;
  private final HostValue y;
  private final WorkerPool pool;
  private final PagedAttention attention;
  private final AttentionPlan plan;
  private final AttentionPart[] parts;
  private final WorkerPool.Work merge = this::merge;
  private @Nullable HostStep step;

  /** Turns queries and keys and stores keys and values, before attention reads them. */
  interface Prologue {
    void run(HostStep step);

    /** The turned queries, in rows of the same size as before. */
    MemorySegment queries();
  }

  AttentionKernel(
      Attention op,
      @Nullable Prologue prologue,
      Node node,
      Lowering.Operands operands,
      WorkerPool pool,
      Scratch scratch,
      @Nullable NativeLibrary library,
      RowKernels kernels) {
    this.op = op;
    this.prologue = prologue;
    this.pool = pool;
    q = operands.value(node.value(0));
    y = operands.value(node.output());
    float[] sinks =
        op.sinks(node).map(weight -> Blocks.decode(operands.weight(weight))).orElse(null);
    ScoreExpression score =
        new ScoreExpression(op.score(), biases(node, operands), scratch, kernels);
    int threads = pool.threads();
    attention =
        library != null
            ? new NativeAttentionTile(op, sinks, score, threads, scratch, library, kernels)
            : AttentionTile.of(
                op, sinks, score, AttentionPlan.rowsPerTile(op), threads, scratch, kernels);
    plan = new AttentionPlan(op, attention, operands.limits(), threads);
    parts = new AttentionPart[threads];
    Arrays.setAll(parts, _ -> new AttentionPart());
  }

  /** By head and offset; nothing where the score has none. */
  private float[] biases(Node node, Lowering.Operands operands) {
    return op.biases(node)
        .map(weight -> Blocks.decode(operands.weight(weight)))
        .map(biases -> op.relativeBias().orElseThrow().byOffset(biases, op.heads()))
        .orElseGet(() -> new float[0]);
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    if (prologue != null) {
      prologue.run(newStep);
    }
    plan.fill(newStep);
    pool.run(plan.chunks(), this);
    if (plan.divided() > 0) {
      pool.run(Math.multiplyExact(plan.divided(), op.kvHeads()), merge);
    }
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    MemorySegment queries = prologue == null ? q.data(current) : prologue.queries();
    AttentionPart part = parts[thread];
    plan.setPart(current, chunk, part);
    attention.attend(current, queries, y.data(current), part, thread);
  }

  private void merge(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    AttentionPart part = parts[thread];
    plan.setDivided(current, chunk / op.kvHeads(), chunk % op.kvHeads(), part);
    attention.merge(y.data(current), part);
  }
}
