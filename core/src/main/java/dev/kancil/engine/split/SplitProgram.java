package dev.kancil.engine.split;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Program;
import dev.kancil.backend.RowSource;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphCut;
import dev.kancil.graph.Value;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;

/**
 * Both parts of a graph, each a program of its device. A step is enqueued on both at once; the
 * second device's thread waits for the first part's rows.
 */
final class SplitProgram implements Program {
  private static final int OPEN_STEPS = 2;

  private final Program first;
  private final Program second;
  private final Value carried;
  private final Set<String> firstOutputs = new HashSet<>();
  private final int vocabulary;
  private final int sampled;
  private final ArrayBlockingQueue<SplitStep> idle = new ArrayBlockingQueue<>(OPEN_STEPS);
  private boolean closed;

  /**
   * @param first of the part before the cut; closed with this program, as is {@code second}
   */
  SplitProgram(Graph whole, GraphCut cut, Program first, Program second) {
    this.first = first;
    this.second = second;
    carried = cut.carried();
    cut.before().outputs().forEach(output -> firstOutputs.add(output.name()));
    vocabulary = whole.vocabulary();
    sampled = whole.sampledColumns();
    for (int i = 0; i < OPEN_STEPS; i++) {
      idle.add(new SplitStep(this, first.limits()));
    }
  }

  Program first() {
    return first;
  }

  Program second() {
    return second;
  }

  /** What the second part reads of the first. */
  Value carried() {
    return carried;
  }

  /** Whether the first part computes an output; the other does, if it doesn't. */
  boolean isOfFirst(String output) {
    return firstOutputs.contains(output);
  }

  @Override
  public Step enqueue(Batch batch, SequenceState state, RowSource source) {
    if (closed) {
      throw new IllegalStateException("the program is closed");
    }
    if (!(state instanceof SplitState ours)) {
      throw new IllegalArgumentException("a state of another device");
    }
    batch.requireWithin(limits(), vocabulary, sampled, 0);
    SplitStep step = idle.poll();
    if (step == null) {
      throw new IllegalStateException("two steps are open; close one first");
    }
    try {
      ours.requireRoom(batch);
      step.enqueue(batch, ours, source);
    } catch (RuntimeException e) {
      idle.add(step);
      throw e;
    }
    return step;
  }

  void giveBack(SplitStep step) {
    idle.add(step);
  }

  @Override
  public StepLimits limits() {
    return second.limits();
  }

  /** The first part would have to wait for the second, which waits for it. */
  @Override
  public boolean feedsTokens() {
    return false;
  }

  @Override
  public long bytes() {
    return first.bytes() + second.bytes();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      // The second may still wait for the first.
      try {
        second.close();
      } finally {
        first.close();
      }
    }
  }
}
