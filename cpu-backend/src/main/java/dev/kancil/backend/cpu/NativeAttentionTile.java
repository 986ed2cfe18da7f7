package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostState;
import dev.kancil.backend.host.HostStep;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.DataType;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * As {@link AttentionTile}, by native kernels: scores of a page's keys, and their softmax and sums
 * of values (attention.h). Between the two, scores are hidden or changed here.
 *
 * <p>States are of no keys at the beginning of each run of a context and then merged, run by run.
 */
final class NativeAttentionTile extends PagedAttention {
  private static final int MOST_WIDTH = 1024;
  // What is sent for is so far ahead, at least: less comes too late, and much more is gone again.
  private static final int BYTES_AHEAD = 24 << 10;
  private static final FunctionDescriptor OF_A_PAGE =
      FunctionDescriptor.ofVoid(
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_INT,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_INT);

  private final Scratch scratch;
  private final MethodHandle attentionScores;
  private final MethodHandle attentionValues;
  private final MethodHandle attentionBegin;
  private final MethodHandle attentionMerge;
  // Of each thread: states so far, those of a run, scaled queries, scores of a page.
  private final MemorySegment[] memory;
  private final long runStates;
  private final long queries;
  private final long scores;
  private final MemorySegment dividedStates;

  NativeAttentionTile(
      Attention op,
      float @Nullable [] sinks,
      ScoreExpression score,
      int threads,
      Scratch scratch,
      NativeLibrary library,
      RowKernels kernels) {
    super(op, sinks, score, kernels);
    this.scratch = scratch;
    int most = AttentionPlan.mostQueries(op);
    // The floats before the sums are at most 32 for each query, that of a head alone.
    runStates = 4L * most * (32 + whole(op.valueWidth()));
    queries = 2 * runStates;
    scores = queries + 4L * whole(most * op.keyWidth());
    memory = new MemorySegment[threads];
    for (int i = 0; i < threads; i++) {
      memory[i] = scratch.memory(i, scores + 4L * most * Pages.TOKENS);
    }
    dividedStates = scratch.memory(threads, AttentionPlan.mostStatesBytes());
    scratch.reserve(Scratch.Kind.PRODUCTS, Pages.TOKENS);
    attentionScores = library.function("attention_scores", OF_A_PAGE);
    attentionValues = library.function("attention_values", OF_A_PAGE);
    attentionBegin =
        library.function(
            "attention_begin",
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT));
    attentionMerge =
        library.function(
            "attention_merge",
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT));
  }

  private static int whole(int floats) {
    return Math.ceilDiv(floats, 16) * 16;
  }

  /** Whether native kernels read such a cache. */
  static boolean takes(Attention op, StateGroup cache) {
    return takes(cache.keyType(), op.keyWidth()) && takes(cache.valueType(), op.valueWidth());
  }

  private static boolean takes(DataType type, int width) {
    return switch (type) {
      case F32, F16, BF16, F8_E4M3 -> width <= MOST_WIDTH;
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
      case F8_E4M3 -> 4;
      default -> throw new IllegalArgumentException("a cache of " + type);
    };
  }

  @Override
  boolean divides() {
    return true;
  }

  @Override
  long stateBytes(int rows) {
    int count = rows * group;
    return 4L * (whole(2 * count) + count * whole(op.valueWidth()));
  }

  /** Where the states of a divided part's run and first KV head lie. */
  private long divided(AttentionPart part, int run) {
    long index = (long) (run - part.stateOfRun) * op.kvHeads() + part.kvHead;
    return part.states + index * stateBytes(part.rows);
  }

  /** The address of a run's states; those of the first one are the part's. */
  private long states(AttentionPart part, int run, int thread) {
    if (part.isDivided()) {
      return dividedStates.address() + divided(part, run);
    }
    return memory[thread].address() + (run == part.firstRun ? 0 : runStates);
  }

  @Override
  void begin(MemorySegment source, AttentionPart part, int thread) {
    long queryBytes = 4L * part.rows * group * op.keyWidth();
    for (int head = 0; head < part.heads; head++) {
      load(source, part, head, memory[thread], queries + head * queryBytes);
    }
    if (!part.isDivided()) {
      beginStates(part, part.firstRun, thread);
    }
  }

  private void beginStates(AttentionPart part, int run, int thread) {
    try {
      attentionBegin.invokeExact(
          states(part, run, thread), part.rows * group, part.heads, op.valueWidth());
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  void beginRun(AttentionPart part, int run, int thread) {
    if (part.isDivided() || run > part.firstRun) {
      beginStates(part, run, thread);
    }
  }

  @Override
  void page(HostStep step, AttentionPart part, int run, int start, int thread) {
    int keys = keys(start, part.last);
    HostState state = step.state();
    StateGroup cache = state.group(op.slot());
    long address = memory[thread].address();
    ofPage(
        attentionScores,
        cache.keyType(),
        op.keyWidth(),
        state.keys(op.slot()),
        step,
        part,
        start,
        address + queries,
        address + scores);
    changeAndHide(step, part, start, keys, thread);
    ofPage(
        attentionValues,
        cache.valueType(),
        op.valueWidth(),
        state.values(op.slot()),
        step,
        part,
        start,
        address + scores,
        states(part, run, thread));
  }

  private void ofPage(
      MethodHandle kernel,
      DataType type,
      int width,
      MemorySegment cache,
      HostStep step,
      AttentionPart part,
      int start,
      long from,
      long to) {
    long rowBytes = type.byteSize((long) op.kvHeads() * width);
    int headBytes = (int) type.byteSize(width);
    long firstRow = cache.address() + (long) part.kvHead * headBytes;
    int later =
        start + Math.ceilDiv(BYTES_AHEAD, part.heads * headBytes * Pages.TOKENS) * Pages.TOKENS;
    int laterKeys = keys(later, Math.min(part.last, part.endRun * AttentionPart.RUN - 1));
    long laterRow = laterKeys == 0 ? 0 : step.cacheRow(op.slot(), part.sequence, later);
    try {
      kernel.invokeExact(
          number(type),
          from,
          part.rows * group,
          part.heads,
          firstRow + step.cacheRow(op.slot(), part.sequence, start) * rowBytes,
          rowBytes,
          headBytes,
          keys(start, part.last),
          width,
          to,
          Pages.TOKENS,
          firstRow + laterRow * rowBytes,
          laterKeys);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private void changeAndHide(HostStep step, AttentionPart part, int start, int keys, int thread) {
    int count = part.rows * group;
    boolean isInterval = op.mask().isInterval();
    for (int r = 0; r < part.rows; r++) {
      int position = step.batch().position(part.row + r);
      int from = seenFrom(position, start, keys);
      int to = Math.max(from, seenTo(position, start, keys));
      for (int head = 0; head < part.heads; head++) {
        for (int i = 0; i < group; i++) {
          int at = (head * count + r * group + i) * Pages.TOKENS;
          if (!score.isPlain()) {
            change(at, keys, position, start, (part.kvHead + head) * group + i, thread);
          }
          if (isInterval) {
            hide(at, at + from, thread);
            hide(at + to, at + Pages.TOKENS, thread);
          } else {
            hideEach(at, position, start, keys, thread);
          }
        }
      }
    }
  }

  private void change(int at, int keys, int position, int start, int head, int thread) {
    float[] page = scratch.of(Scratch.Kind.PRODUCTS, thread);
    long offset = scores + 4L * at;
    MemorySegment.copy(memory[thread], ValueLayout.JAVA_FLOAT, offset, page, 0, Pages.TOKENS);
    score.apply(page, 0, keys, position, start, head, thread);
    MemorySegment.copy(page, 0, memory[thread], ValueLayout.JAVA_FLOAT, offset, Pages.TOKENS);
  }

  /** Sets the scores of keys that the query does not see, and of none at all, to -∞. */
  private void hideEach(int at, int position, int start, int keys, int thread) {
    for (int i = 0; i < Pages.TOKENS; i++) {
      if (i >= keys || !op.mask().sees(position, start + i)) {
        hide(at + i, at + i + 1, thread);
      }
    }
  }

  private void hide(int from, int to, int thread) {
    for (int i = from; i < to; i++) {
      memory[thread].set(ValueLayout.JAVA_FLOAT, scores + 4L * i, Float.NEGATIVE_INFINITY);
    }
  }

  @Override
  void endRun(AttentionPart part, int run, int thread) {
    if (!part.isDivided() && run > part.firstRun) {
      merge(part, states(part, part.firstRun, thread), states(part, run, thread));
    }
  }

  private void merge(AttentionPart part, long states, long later) {
    try {
      attentionMerge.invokeExact(states, later, part.rows * group, part.heads, op.valueWidth());
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  void end(MemorySegment y, AttentionPart part, int thread) {
    store(y, part, memory[thread], 0);
  }

  @Override
  void merge(MemorySegment y, AttentionPart part) {
    long first = divided(part, part.firstRun);
    for (int run = part.firstRun + 1; run < part.endRun; run++) {
      long address = dividedStates.address();
      merge(part, address + first, address + divided(part, run));
    }
    store(y, part, dividedStates, first);
  }

  private void store(MemorySegment y, AttentionPart part, MemorySegment states, long at) {
    int count = part.rows * group;
    for (int head = 0; head < part.heads; head++) {
      long ofHead = at + head * stateBytes(part.rows);
      for (int i = 0; i < count; i++) {
        int number = (part.kvHead + head) * group + i % group;
        float largest = states.get(ValueLayout.JAVA_FLOAT, ofHead + 4L * i);
        float total = states.get(ValueLayout.JAVA_FLOAT, ofHead + 4L * (count + i));
        long to = (long) (part.row + i / group) * op.heads() + number;
        kernels.scale(
            states,
            ofHead + 4L * (whole(2 * count) + i * whole(op.valueWidth())),
            factor(total, largest, number),
            y,
            4L * to * op.valueWidth(),
            op.valueWidth());
      }
    }
  }
}
