package dev.kancil.backend.cpu;

import dev.kancil.backend.Batch;
import dev.kancil.backend.host.HostStep;
import dev.kancil.graph.op.Attention;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Some rows of a sequence, with the query heads that share one KV head, against the keys that they
 * see: page by page, keeping for each query the largest score so far, the sum of {@code e^(score -
 * largest)}, and the sum of values with these weights, all rescaled when a larger score comes
 * (Milakov and Gimelshein 2018; Dao et al. 2022).
 *
 * <p>Query number {@code r} is head {@code r % group} of row {@code r / group}. Keys that a query
 * does not see have weight 0; pages that no query of the tile sees are not read.
 */
abstract class PagedAttention {
  final Attention op;
  final ScoreExpression score;
  final int group;
  final RowKernels kernels;
  private final float @Nullable [] sinks;

  PagedAttention(
      Attention op, float @Nullable [] sinks, ScoreExpression score, RowKernels kernels) {
    this.kernels = kernels;
    this.op = op;
    this.sinks = sinks;
    this.score = score;
    group = op.heads() / op.kvHeads();
  }

  /** Attends rows {@code row} to {@code row + rows} of a sequence to one KV head. */
  final void attend(
      HostStep step,
      MemorySegment source,
      MemorySegment y,
      int sequence,
      int row,
      int rows,
      int kvHead,
      int thread) {
    Batch batch = step.batch();
    int length = step.length(op.slot(), sequence);
    begin(source, row, rows, kvHead, thread);
    int from = batch.position(row);
    int to = batch.position(row + rows - 1);
    long first = Math.max(0, op.mask().firstKey(from, to));
    long last = Math.min(length - 1, op.mask().lastKey(from, to));
    for (long start = first / Pages.TOKENS * Pages.TOKENS; start <= last; start += Pages.TOKENS) {
      page(step, sequence, row, rows, kvHead, (int) start, (int) last, thread);
    }
    end(y, row, rows, kvHead, thread);
  }

  /** Loads queries, scaled, and makes their sums those of no keys. */
  abstract void begin(MemorySegment source, int row, int rows, int kvHead, int thread);

  /** Puts queries beside each other, scaled. */
  final void load(MemorySegment source, int row, int rows, int kvHead, MemorySegment queries) {
    int floats = group * op.keyWidth();
    for (int i = 0; i < rows; i++) {
      long at = 4L * (row + i) * op.heads() * op.keyWidth() + 4L * kvHead * floats;
      kernels.scale(source, at, op.scale(), queries, 4L * i * floats, floats);
    }
  }

  /**
   * Takes a page into the sums.
   *
   * @param start position of its first key
   * @param last position of the last key that any query sees, there or in a later page
   */
  abstract void page(
      HostStep step, int sequence, int row, int rows, int kvHead, int start, int last, int thread);

  /** Stores each query's sum of values times its {@link #factor}. */
  abstract void end(MemorySegment y, int row, int rows, int kvHead, int thread);

  /** Keys of the page that begins at {@code start}; 0 behind the last. */
  static int keys(int start, int last) {
    return Math.clamp((long) last + 1 - start, 0, Pages.TOKENS);
  }

  /** The first key of a page that a query sees, where its mask is an interval. */
  final int seenFrom(int position, int start, int keys) {
    return Math.clamp(op.mask().firstKey(position, position) - start, 0, keys);
  }

  /** The key behind the last one that it sees, which is before the first where it sees none. */
  final int seenTo(int position, int start, int keys) {
    long last = Math.min(op.mask().lastKey(position, position), (long) start + keys - 1);
    return Math.clamp(last + 1 - start, 0, keys);
  }

  /**
   * What a query's sum of values is multiplied with: 1 / the sum of its weights and its head's
   * sink; 0 if it saw no key.
   */
  final float factor(float total, float largest, int head) {
    if (total == 0) {
      return 0;
    }
    return sinks == null
        ? 1 / total
        : (float) (1 / (total + Math.exp((double) sinks[head] - largest)));
  }
}
