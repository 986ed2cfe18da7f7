package dev.kancil.backend.cpu;

import dev.kancil.backend.Batch;
import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Attention over paged keys and values; with a {@link Prologue}, RopeAttention.
 *
 * <p>Threads: one chunk for each KV head of each tile of rows of a sequence, so that the query
 * heads that share a KV head read it once. Traffic: the keys and values that the tile's mask lets
 * it see, once for each tile.
 */
final class AttentionKernel implements Kernel, WorkerPool.Work {
  /** Queries, that is rows × query heads of a KV head, that share the keys which are read. */
  private static final int TILE_QUERIES = 32;

  private final Attention op;
  private final @Nullable Prologue prologue;
  private final HostValue q;
  private final HostValue y;
  private final WorkerPool pool;
  private final PagedAttention tile;
  private final int rowsPerTile;
  // Where each sequence's tiles begin.
  private final int[] tileStarts;
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
    rowsPerTile = Math.max(1, TILE_QUERIES / (op.heads() / op.kvHeads()));
    tileStarts = new int[operands.limits().sequences() + 1];
    float[] sinks =
        op.sinks(node).map(weight -> Blocks.decode(operands.weight(weight))).orElse(null);
    ScoreExpression score =
        new ScoreExpression(op.score(), biases(node, operands), scratch, kernels);
    tile =
        library != null
            ? new NativeAttentionTile(
                op, sinks, score, rowsPerTile, pool.threads(), scratch, library, kernels)
            : AttentionTile.of(op, sinks, score, rowsPerTile, pool.threads(), scratch, kernels);
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
    Batch batch = newStep.batch();
    int tiles = 0;
    for (int i = 0; i < batch.sequenceCount(); i++) {
      tileStarts[i] = tiles;
      tiles += Math.ceilDiv(batch.endRow(i) - batch.firstRow(i), rowsPerTile);
    }
    tileStarts[batch.sequenceCount()] = tiles;
    pool.run(Math.multiplyExact(tiles, op.kvHeads()), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    Batch batch = current.batch();
    // Late tiles see most keys, so they go first and the short ones fill the gaps at the end.
    int tiles = tileStarts[batch.sequenceCount()];
    int number = tiles - 1 - chunk / op.kvHeads();
    int sequence = 0;
    while (tileStarts[sequence + 1] <= number) {
      sequence++;
    }
    int row = batch.firstRow(sequence) + (number - tileStarts[sequence]) * rowsPerTile;
    int rows = Math.min(rowsPerTile, batch.endRow(sequence) - row);
    MemorySegment queries = prologue == null ? q.data(current) : prologue.queries();
    tile.attend(
        current, queries, y.data(current), sequence, row, rows, chunk % op.kvHeads(), thread);
  }
}
