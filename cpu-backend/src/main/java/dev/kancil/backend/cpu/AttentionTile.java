package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.backend.host.HostState;
import dev.kancil.backend.host.HostStep;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/**
 * Attention by the Vector API: a page's keys, then its values, are decoded to panels that all
 * queries of the tile meet.
 */
final class AttentionTile extends PagedAttention {
  private final int valueStride;
  private final int keyStride;
  private final Scratch scratch;
  private final MemorySegment[] queries;

  private AttentionTile(
      Attention op,
      float @Nullable [] sinks,
      ScoreExpression score,
      int rows,
      int threads,
      Scratch scratch,
      RowKernels kernels) {
    super(op, sinks, score, kernels);
    this.scratch = scratch;
    keyStride = Scratch.padded(op.keyWidth());
    valueStride = Scratch.padded(op.valueWidth());
    int count = rows * group;
    queries = new MemorySegment[threads];
    for (int i = 0; i < threads; i++) {
      queries[i] = Arena.ofAuto().allocate(4L * count * op.keyWidth(), 64);
    }
    scratch.reserve(Scratch.Kind.PANEL, (long) Pages.TOKENS * keyStride);
    scratch.reserve(Scratch.Kind.SECOND_PANEL, (long) Pages.TOKENS * valueStride);
    scratch.reserve(Scratch.Kind.PRODUCTS, (long) count * Pages.TOKENS);
    // The largest score and the sum of weights of each query, then its sums of values.
    scratch.reserve(Scratch.Kind.SUMS, (long) count * (2 + valueStride));
    // Rows whose heads begin within a block are decoded with the blocks around them.
    scratch.reserve(Scratch.Kind.ROW, (long) Math.max(op.keyWidth(), op.valueWidth()) + 512);
  }

  /** So that who calls this needs not load the class to be verified, and with it the module. */
  static PagedAttention of(
      Attention op,
      float @Nullable [] sinks,
      ScoreExpression score,
      int rows,
      int threads,
      Scratch scratch,
      RowKernels kernels) {
    return new AttentionTile(op, sinks, score, rows, threads, scratch, kernels);
  }

  @Override
  boolean divides() {
    return false;
  }

  @Override
  long stateBytes(int rows) {
    throw new UnsupportedOperationException();
  }

  @Override
  void begin(MemorySegment source, AttentionPart part, int thread) {
    int count = part.rows * group;
    load(source, part, 0, queries[thread], 0);
    float[] sums = scratch.of(Scratch.Kind.SUMS, thread);
    Arrays.fill(sums, 0, count, Float.NEGATIVE_INFINITY);
    Arrays.fill(sums, count, count * (2 + valueStride), 0);
  }

  @Override
  void page(HostStep step, AttentionPart part, int run, int start, int thread) {
    int kvHead = part.kvHead;
    int keys = keys(start, part.last);
    HostState state = step.state();
    StateGroup stateGroup = state.group(op.slot());
    long cacheRow = step.cacheRow(op.slot(), part.sequence, start);
    float[] panel = scratch.of(Scratch.Kind.PANEL, thread);
    float[] scores = scratch.of(Scratch.Kind.PRODUCTS, thread);
    float[] sums = scratch.of(Scratch.Kind.SUMS, thread);
    int count = part.rows * group;
    decode(
        state.keys(op.slot()),
        stateGroup.keyType(),
        stateGroup.keyColumns(),
        cacheRow,
        keys,
        kvHead * op.keyWidth(),
        op.keyWidth(),
        panel,
        keyStride,
        thread);
    Tiles.multiply(
        queries[thread],
        0,
        4L * op.keyWidth(),
        count,
        panel,
        keyStride,
        Tiles.panelRows(keys),
        op.keyWidth(),
        scores,
        Pages.TOKENS);
    for (int r = 0; r < count; r++) {
      int position = step.batch().position(part.row + r / group);
      if (!score.isPlain()) {
        score.apply(
            scores, r * Pages.TOKENS, keys, position, start, kvHead * group + r % group, thread);
      }
      hide(scores, r * Pages.TOKENS, position, start, keys);
      weigh(scores, r * Pages.TOKENS, sums, r, count, valueStride);
    }
    float[] values = scratch.of(Scratch.Kind.SECOND_PANEL, thread);
    decode(
        state.values(op.slot()),
        stateGroup.valueType(),
        stateGroup.valueColumns(),
        cacheRow,
        keys,
        kvHead * op.valueWidth(),
        op.valueWidth(),
        values,
        valueStride,
        thread);
    WeightedSums.add(scores, values, valueStride, keys, sums, 2 * count, count);
  }

  private void decode(
      MemorySegment cache,
      DataType type,
      int rowColumns,
      long cacheRow,
      int keys,
      int column,
      int width,
      float[] panel,
      int stride,
      int thread) {
    long rowBytes = type.byteSize(rowColumns);
    int block = type.blockElements();
    int from = column / block * block;
    int elements = Math.ceilDiv(column + width, block) * block - from;
    for (int i = 0; i < keys; i++) {
      long at = (cacheRow + i) * rowBytes + type.byteSize(from);
      if (elements == width) {
        Decoding.decode(type, cache, at, panel, i * stride, width);
      } else {
        float[] around = scratch.of(Scratch.Kind.ROW, thread);
        Decoding.decode(type, cache, at, around, 0, elements);
        System.arraycopy(around, column - from, panel, i * stride, width);
      }
    }
  }

  /** Sets the scores of keys that the query does not see, and of none at all, to -∞. */
  private void hide(float[] scores, int at, int position, int start, int keys) {
    if (op.mask().isInterval()) {
      int from = seenFrom(position, start, keys);
      int to = Math.max(from, seenTo(position, start, keys));
      Arrays.fill(scores, at, at + from, Float.NEGATIVE_INFINITY);
      Arrays.fill(scores, at + to, at + Pages.TOKENS, Float.NEGATIVE_INFINITY);
    } else {
      for (int i = 0; i < Pages.TOKENS; i++) {
        if (i >= keys || !op.mask().sees(position, start + i)) {
          scores[at + i] = Float.NEGATIVE_INFINITY;
        }
      }
    }
  }

  /** Turns a query's scores into weights, and rescales its sums where a larger score came. */
  private static void weigh(
      float[] scores, int at, float[] sums, int r, int count, int valueStride) {
    float max = Math.max(sums[r], max(scores, at));
    if (max == Float.NEGATIVE_INFINITY) {
      Arrays.fill(scores, at, at + Pages.TOKENS, 0);
      return;
    }
    // Hidden keys have -∞, which becomes a weight of exactly 0.
    VectorMath.exp(scores, at, Pages.TOKENS, max);
    float sum = sum(scores, at);
    if (max > sums[r]) {
      float factor = (float) Math.exp((double) sums[r] - max);
      sums[count + r] *= factor;
      sums[r] = max;
      int values = 2 * count + r * valueStride;
      VectorMath.scale(sums, values, valueStride, factor);
    }
    sums[count + r] += sum;
  }

  private static float max(float[] scores, int at) {
    FloatVector largest = FloatVector.fromArray(FLOATS, scores, at);
    for (int i = LENGTH; i < Pages.TOKENS; i += LENGTH) {
      largest = largest.max(FloatVector.fromArray(FLOATS, scores, at + i));
    }
    return largest.reduceLanes(VectorOperators.MAX);
  }

  private static float sum(float[] weights, int at) {
    FloatVector total = FloatVector.zero(FLOATS);
    for (int i = 0; i < Pages.TOKENS; i += LENGTH) {
      total = total.add(FloatVector.fromArray(FLOATS, weights, at + i));
    }
    return Lanes.sum(total);
  }

  @Override
  void end(MemorySegment y, AttentionPart part, int thread) {
    float[] sums = scratch.of(Scratch.Kind.SUMS, thread);
    int count = part.rows * group;
    for (int r = 0; r < count; r++) {
      int head = part.kvHead * group + r % group;
      int from = 2 * count + r * valueStride;
      VectorMath.scale(sums, from, valueStride, factor(sums[count + r], sums[r], head));
      long at = (long) (part.row + r / group) * op.heads() + head;
      MemorySegment.copy(
          sums, from, y, ValueLayout.JAVA_FLOAT, 4L * at * op.valueWidth(), op.valueWidth());
    }
  }

  @Override
  void merge(MemorySegment y, AttentionPart part) {
    throw new UnsupportedOperationException();
  }
}
