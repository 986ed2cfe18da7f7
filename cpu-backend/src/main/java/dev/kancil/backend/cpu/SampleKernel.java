package dev.kancil.backend.cpu;

import dev.kancil.backend.host.HostStep;
import dev.kancil.backend.host.HostValue;
import dev.kancil.backend.host.Kernel;
import dev.kancil.backend.host.Lowering;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.SampleParameters;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Sample. Threads: a row each. Where the likeliest token is all that is wanted, logits are read
 * once where they lie; else a row is copied to memory of the thread's own, where its changes are
 * made, and which stays in the second-level cache while {@link TokenChoice} goes over it.
 */
final class SampleKernel implements Kernel, WorkerPool.Work {
  private final WorkerPool pool;
  private final HostValue logits;
  private final HostValue parameters;
  private final HostValue changes;
  private final HostValue y;
  private final TokenChoice[] choices;
  private final RowKernels kernels;
  private int rows;
  private @Nullable HostStep step;

  SampleKernel(Node node, Lowering.Operands operands, WorkerPool pool, RowKernels kernels) {
    this.kernels = kernels;
    this.pool = pool;
    logits = operands.value(node.value(0));
    parameters = operands.value(node.value(1));
    changes = operands.value(node.value(2));
    y = operands.value(node.output());
    int most = operands.limits().rows(y.type().rows());
    choices = new TokenChoice[Math.min(most, pool.threads())];
    Arrays.setAll(choices, _ -> new TokenChoice(logits.columns(), kernels));
  }

  @Override
  public void run(HostStep newStep) {
    step = newStep;
    rows = y.rows(newStep);
    pool.run(Math.min(rows, choices.length), this);
  }

  @Override
  public void run(int chunk, int thread) {
    HostStep current = Objects.requireNonNull(step);
    for (int row = chunk; row < rows; row += choices.length) {
      int token = choose(choices[chunk], current, row);
      y.data(current).setAtIndex(ValueLayout.JAVA_INT, row, token);
    }
  }

  private int choose(TokenChoice choice, HostStep current, int row) {
    MemorySegment source = logits.data(current);
    long offset = row * logits.type().rowBytes();
    MemorySegment settings = parameters.data(current);
    int at = row * SampleParameters.COLUMNS;
    float scale = real(settings, at + SampleParameters.SCALE);
    int firstChange = row == 0 ? 0 : changesEnd(settings, at - SampleParameters.COLUMNS);
    if (scale == 0 && firstChange == changesEnd(settings, at)) {
      return kernels.likeliest(source, offset, logits.columns());
    }
    choice.load(source, offset);
    change(choice, settings, at, changes.data(current), firstChange);
    return choice.choose(
        scale,
        integer(settings, at + SampleParameters.TOP_K),
        integer(settings, at + SampleParameters.TOP_P),
        pair(settings, at + SampleParameters.MIN_WEIGHT),
        pair(settings, at + SampleParameters.RANDOM));
  }

  private static int changesEnd(MemorySegment settings, int at) {
    return integer(settings, at + SampleParameters.CHANGES_END);
  }

  private static void change(
      TokenChoice choice, MemorySegment settings, int at, MemorySegment changes, int first) {
    float repetition = real(settings, at + SampleParameters.REPETITION);
    float inverse = real(settings, at + SampleParameters.INVERSE);
    for (int i = first; i < changesEnd(settings, at); i++) {
      int change = i * Sample.CHANGE_COLUMNS;
      int id = integer(changes, change + Sample.CHANGED_ID);
      float logit = choice.logit(id) + real(changes, change + Sample.CHANGED_BIAS);
      if (integer(changes, change + Sample.CHANGED_SEEN) != 0) {
        float scaled = logit * (logit > 0 ? inverse : repetition);
        logit = scaled - real(changes, change + Sample.CHANGED_PENALTY);
      }
      choice.change(id, logit);
    }
  }

  private static int integer(MemorySegment data, long index) {
    return data.getAtIndex(ValueLayout.JAVA_INT, index);
  }

  private static float real(MemorySegment data, long index) {
    return Float.intBitsToFloat(integer(data, index));
  }

  private static long pair(MemorySegment data, long index) {
    return Integer.toUnsignedLong(integer(data, index)) | (long) integer(data, index + 1) << 32;
  }
}
