package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.tensor.Blocks;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * MoeRoute. Threads: runs of rows. A row's exponentials are vectors; the choice goes through its
 * experts once for each that is chosen.
 */
final class MoeRouteKernel implements Kernel, WorkerPool.Work {
  private static final int CHUNK_ROWS = 8;

  private final MoeRoute route;
  private final HostValue logits;
  private final HostValue ids;
  private final HostValue weights;
  private final float @Nullable [] bias;
  private final int experts;
  private final WorkerPool pool;
  private final Scratch scratch;
  private final RowKernels kernels;
  private @Nullable HostStep step;

  MoeRouteKernel(
      MoeRoute route,
      Node node,
      Lowering.Operands operands,
      WorkerPool pool,
      Scratch scratch,
      RowKernels kernels) {
    this.kernels = kernels;
    this.route = route;
    this.pool = pool;
    this.scratch = scratch;
    logits = operands.value(node.value(0));
    ids = operands.value(node.outputs().get(0));
    weights = operands.value(node.outputs().get(1));
    bias = node.inputs().size() == 2 ? Blocks.decode(operands.weight(node.weight(1))) : null;
    experts = logits.columns();
    scratch.reserve(Scratch.Kind.PRODUCTS, Scratch.padded(experts));
    scratch.reserve(Scratch.Kind.SECOND_PRODUCTS, Scratch.padded(experts));
    scratch.reserve(Scratch.Kind.EXPRESSION, route.grouping().groups());
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    pool.run(Math.ceilDiv(logits.rows(newStep), CHUNK_ROWS), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    Floats scores = scratch.floats(Scratch.Kind.PRODUCTS, thread);
    float[] ranks = scratch.of(Scratch.Kind.SECOND_PRODUCTS, thread);
    MemorySegment source = logits.data(current);
    int end = Math.min(logits.rows(current), (chunk + 1) * CHUNK_ROWS);
    for (int row = chunk * CHUNK_ROWS; row < end; row++) {
      long at = row * logits.type().rowBytes();
      MemorySegment.copy(source, ValueLayout.JAVA_FLOAT, at, ranks, 0, experts);
      switch (route.scoring()) {
        case SOFTMAX -> softmax(ranks, scores, experts);
        case SIGMOID -> sigmoid(ranks, scores, experts);
      }
      if (route.comparesScores(bias != null)) {
        takeScores(ranks, scores.array(), bias, experts);
      }
      if (route.grouping().excludes()) {
        exclude(ranks, scratch.of(Scratch.Kind.EXPRESSION, thread));
      }
      choose(ranks, scores.array(), row, ids.data(current), weights.data(current));
    }
  }

  /** Takes NaN for -∞, in both arrays. */
  private void softmax(float[] logits, Floats room, int experts) {
    float[] scores = room.array();
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < experts; i++) {
      logits[i] = Float.isNaN(logits[i]) ? Float.NEGATIVE_INFINITY : logits[i];
      scores[i] = logits[i];
      max = Math.max(max, logits[i]);
    }
    kernels.exp(room, 0, Scratch.padded(experts), max);
    double sum = 0;
    for (int i = 0; i < experts; i++) {
      sum += scores[i];
    }
    float factor = (float) (1 / sum);
    for (int i = 0; i < experts; i++) {
      scores[i] *= factor;
    }
  }

  private void sigmoid(float[] logits, Floats room, int experts) {
    float[] scores = room.array();
    for (int i = 0; i < experts; i++) {
      logits[i] = Float.isNaN(logits[i]) ? Float.NEGATIVE_INFINITY : logits[i];
      scores[i] = -logits[i];
    }
    kernels.exp(room, 0, Scratch.padded(experts), 0);
    for (int i = 0; i < experts; i++) {
      scores[i] = 1 / (1 + scores[i]);
    }
  }

  private static void takeScores(
      float[] ranks, float[] scores, float @Nullable [] bias, int experts) {
    for (int i = 0; i < experts; i++) {
      float rank = scores[i] + (bias == null ? 0 : bias[i]);
      boolean isLast = Float.isNaN(rank) || ranks[i] == Float.NEGATIVE_INFINITY;
      ranks[i] = isLast ? Float.NEGATIVE_INFINITY : rank;
    }
  }

  /** Makes ranks of experts whose groups are not used no numbers. */
  private void exclude(float[] ranks, float[] groupRanks) {
    int groups = route.grouping().groups();
    int size = experts / groups;
    for (int group = 0; group < groups; group++) {
      float best = Float.NEGATIVE_INFINITY;
      float second = best;
      for (int i = group * size; i < (group + 1) * size; i++) {
        second = ranks[i] > best ? best : Math.max(second, ranks[i]);
        best = Math.max(best, ranks[i]);
      }
      groupRanks[group] =
          switch (route.grouping().ranking()) {
            case BEST -> best;
            case SUM_OF_TWO -> Float.isNaN(best + second) ? Float.NEGATIVE_INFINITY : best + second;
          };
    }
    for (int i = 0; i < route.grouping().used(); i++) {
      groupRanks[best(groupRanks, groups)] = Float.NaN;
    }
    for (int group = 0; group < groups; group++) {
      if (!Float.isNaN(groupRanks[group])) {
        Arrays.fill(ranks, group * size, (group + 1) * size, Float.NaN);
      }
    }
  }

  private void choose(
      float[] ranks, float[] scores, int row, MemorySegment chosen, MemorySegment weight) {
    int used = route.used();
    long at = (long) row * used;
    float sum = MoeRoute.LEAST_SUM;
    for (int slot = 0; slot < used; slot++) {
      int best = best(ranks, experts);
      // What is chosen is no number any more.
      ranks[best] = Float.NaN;
      chosen.setAtIndex(ValueLayout.JAVA_INT, at + slot, best);
      weight.setAtIndex(ValueLayout.JAVA_FLOAT, at + slot, scores[best]);
      sum += scores[best];
    }
    float factor = route.renormalised() ? route.factor() / sum : route.factor();
    for (int slot = 0; slot < used; slot++) {
      float score = weight.getAtIndex(ValueLayout.JAVA_FLOAT, at + slot);
      weight.setAtIndex(ValueLayout.JAVA_FLOAT, at + slot, factor * score);
    }
  }

  /** The first of the largest numbers; there is one. */
  private static int best(float[] ranks, int experts) {
    int best = -1;
    for (int i = 0; i < experts; i++) {
      if (best < 0 ? !Float.isNaN(ranks[i]) : ranks[i] > ranks[best]) {
        best = i;
      }
    }
    return best;
  }
}
