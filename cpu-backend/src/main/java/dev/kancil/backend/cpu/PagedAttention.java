package dev.kancil.backend.cpu;

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

  /** Whether parts may have several KV heads, and contexts be divided. */
  abstract boolean divides();

  /** Bytes that a divided context needs for each run and KV head. */
  abstract long stateBytes(int rows);

  /** Attends the rows of a part to its heads and runs. */
  final void attend(
      HostStep step, MemorySegment source, MemorySegment y, AttentionPart part, int thread) {
    begin(source, part, thread);
    for (int run = part.firstRun; run < part.endRun; run++) {
      int runStart = run * AttentionPart.RUN;
      int start = Math.max(runStart, part.first / Pages.TOKENS * Pages.TOKENS);
      int last = Math.min(part.last, runStart + AttentionPart.RUN - 1);
      beginRun(part, run, thread);
      for (; start <= last; start += Pages.TOKENS) {
        page(step, part, run, start, thread);
      }
      endRun(part, run, thread);
    }
    if (!part.isDivided()) {
      end(y, part, thread);
    }
  }

  /** Loads queries, scaled, and makes their sums those of no keys. */
  abstract void begin(MemorySegment source, AttentionPart part, int thread);

  /** Makes the sums of a run those of no keys. */
  void beginRun(AttentionPart part, int run, int thread) {}

  /**
   * Puts queries beside each other, scaled.
   *
   * @param head of the part's KV heads
   */
  final void load(
      MemorySegment source, AttentionPart part, int head, MemorySegment queries, long to) {
    int floats = group * op.keyWidth();
    for (int i = 0; i < part.rows; i++) {
      long at =
          4L * (part.row + i) * op.heads() * op.keyWidth() + 4L * (part.kvHead + head) * floats;
      kernels.scale(source, at, op.scale(), queries, to + 4L * i * floats, floats);
    }
  }

  /**
   * Takes a page into the sums.
   *
   * @param start position of its first key
   */
  abstract void page(HostStep step, AttentionPart part, int run, int start, int thread);

  /** Adds the sums of a run to those of the runs before it. */
  void endRun(AttentionPart part, int run, int thread) {}

  /** Stores each query's sum of values times its {@link #factor}. */
  abstract void end(MemorySegment y, AttentionPart part, int thread);

  /** Adds up the runs of a divided context and stores what {@link #end} does, of one KV head. */
  abstract void merge(MemorySegment y, AttentionPart part);

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
