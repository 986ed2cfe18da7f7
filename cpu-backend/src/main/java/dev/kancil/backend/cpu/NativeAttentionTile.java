package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostState;
import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.NativeMemory;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * As {@link AttentionTile}, by native kernels: scores of a page's keys, and their softmax and sums
 * of values (attention.h). Between the two, scores are hidden or changed here.
 */
final class NativeAttentionTile extends PagedAttention {
  private static final int MOST_WIDTH = 1024;

  private final Scratch scratch;
  private final int sumFloats;
  private final MethodHandle attentionScores;
  private final MethodHandle attentionValues;
  private final Room[] rooms;
  private final MemorySegment zeros;

  /** A thread's memory: scaled queries, scores of a page, and of each query the sums so far. */
  private record Room(
      MemorySegment queries,
      MemorySegment scores,
      MemorySegment largest,
      MemorySegment totals,
      MemorySegment sums) {

    static Room of(int queries, Attention op, int sumFloats) {
      return new Room(
          floats((long) queries * op.keyWidth()),
          floats((long) queries * Pages.TOKENS),
          floats(queries),
          floats(queries),
          floats((long) queries * sumFloats));
    }

    private static MemorySegment floats(long count) {
      return NativeMemory.allocate(4 * count, Arena.ofAuto(), "attention");
    }
  }

  NativeAttentionTile(
      Attention op,
      float @Nullable [] sinks,
      ScoreExpression score,
      int rows,
      int threads,
      Scratch scratch,
      NativeLibrary library,
      RowKernels kernels) {
    super(op, sinks, score, kernels);
    this.scratch = scratch;
    sumFloats = Math.ceilDiv(op.valueWidth(), 16) * 16;
    rooms = new Room[threads];
    for (int i = 0; i < threads; i++) {
      rooms[i] = Room.of(rows * group, op, sumFloats);
    }
    zeros = Room.floats((long) rows * group * sumFloats);
    scratch.reserve(Scratch.Kind.PRODUCTS, Pages.TOKENS);
    attentionScores =
        library.function(
            "attention_scores",
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    attentionValues =
        library.function(
            "attention_values",
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT));
  }

  /** Whether native kernels read such a cache. */
  static boolean takes(Attention op, StateGroup cache) {
    return takes(cache.keyType(), op.keyWidth()) && takes(cache.valueType(), op.valueWidth());
  }

  private static boolean takes(DataType type, int width) {
    return switch (type) {
      case F32, F16, BF16 -> width <= MOST_WIDTH;
      case Q8_0 -> width <= MOST_WIDTH && width % type.blockElements() == 0;
      default -> false;
    };
  }

  /** What stands for a type in attention.h. */
  private static int number(DataType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case BF16 -> 2;
      case Q8_0 -> 3;
      default -> throw new IllegalArgumentException("a cache of " + type);
    };
  }

  @Override
  void begin(MemorySegment source, int row, int rows, int kvHead, int thread) {
    int count = rows * group;
    Room room = rooms[thread];
    load(source, row, rows, kvHead, room.queries());
    for (int i = 0; i < count; i++) {
      room.largest().setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NEGATIVE_INFINITY);
    }
    // A slice to fill would be allocated.
    MemorySegment.copy(zeros, 0, room.totals(), 0, 4L * count);
    MemorySegment.copy(zeros, 0, room.sums(), 0, 4L * count * sumFloats);
  }

  @Override
  void page(
      HostStep step, int sequence, int row, int rows, int kvHead, int start, int last, int thread) {
    int keys = keys(start, last);
    int nextKeys = keys(start + Pages.TOKENS, last);
    Room room = rooms[thread];
    HostState state = step.state();
    StateGroup cache = state.group(op.slot());
    long cacheRow = step.cacheRow(op.slot(), sequence, start);
    int count = rows * group;
    long keyBytes = cache.keyType().byteSize(cache.keyColumns());
    long firstKey =
        state.keys(op.slot()).address() + cache.keyType().byteSize((long) kvHead * op.keyWidth());
    long next = nextKeys == 0 ? cacheRow : step.cacheRow(op.slot(), sequence, start + Pages.TOKENS);
    long valueBytes = cache.valueType().byteSize(cache.valueColumns());
    long valuesAt =
        state.values(op.slot()).address()
            + cacheRow * valueBytes
            + cache.valueType().byteSize((long) kvHead * op.valueWidth());
    try {
      attentionScores.invokeExact(
          number(cache.keyType()),
          room.queries().address(),
          count,
          firstKey + cacheRow * keyBytes,
          keyBytes,
          keys,
          op.keyWidth(),
          room.scores().address(),
          Pages.TOKENS,
          valuesAt,
          valueBytes,
          (int) cache.valueType().byteSize(op.valueWidth()));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
    for (int r = 0; r < count; r++) {
      int position = step.batch().position(row + r / group);
      if (!score.isPlain()) {
        change(room.scores(), r, keys, position, start, kvHead * group + r % group, thread);
      }
      hide(room.scores(), r * Pages.TOKENS, position, start, keys);
    }
    try {
      attentionValues.invokeExact(
          number(cache.valueType()),
          room.scores().address(),
          count,
          valuesAt,
          valueBytes,
          keys,
          op.valueWidth(),
          room.largest().address(),
          room.totals().address(),
          room.sums().address(),
          sumFloats,
          Pages.TOKENS,
          firstKey + next * keyBytes,
          keyBytes,
          nextKeys,
          (int) cache.keyType().byteSize(op.keyWidth()));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private void change(
      MemorySegment scores, int r, int keys, int position, int start, int head, int thread) {
    float[] page = scratch.of(Scratch.Kind.PRODUCTS, thread);
    long at = 4L * r * Pages.TOKENS;
    MemorySegment.copy(scores, ValueLayout.JAVA_FLOAT, at, page, 0, Pages.TOKENS);
    score.apply(page, 0, keys, position, start, head, thread);
    MemorySegment.copy(page, 0, scores, ValueLayout.JAVA_FLOAT, at, Pages.TOKENS);
  }

  /** Sets the scores of keys that the query does not see, and of none at all, to -∞. */
  private void hide(MemorySegment scores, int at, int position, int start, int keys) {
    if (op.mask().isInterval()) {
      int from = seenFrom(position, start, keys);
      int to = Math.max(from, seenTo(position, start, keys));
      hide(scores, at, at + from);
      hide(scores, at + to, at + Pages.TOKENS);
    } else {
      for (int i = 0; i < Pages.TOKENS; i++) {
        if (i >= keys || !op.mask().sees(position, start + i)) {
          hide(scores, at + i, at + i + 1);
        }
      }
    }
  }

  private static void hide(MemorySegment scores, int from, int to) {
    for (int i = from; i < to; i++) {
      scores.setAtIndex(ValueLayout.JAVA_FLOAT, i, Float.NEGATIVE_INFINITY);
    }
  }

  @Override
  void end(MemorySegment y, int row, int rows, int kvHead, int thread) {
    Room room = rooms[thread];
    for (int r = 0; r < rows * group; r++) {
      int head = kvHead * group + r % group;
      float total = room.totals().getAtIndex(ValueLayout.JAVA_FLOAT, r);
      float largest = room.largest().getAtIndex(ValueLayout.JAVA_FLOAT, r);
      long at = (long) (row + r / group) * op.heads() + head;
      kernels.scale(
          room.sums(),
          4L * r * sumFloats,
          factor(total, largest, head),
          y,
          4L * at * op.valueWidth(),
          op.valueWidth());
    }
  }
}
