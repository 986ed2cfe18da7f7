package dev.kancil.engine.split;

import dev.kancil.backend.Batch;
import dev.kancil.backend.RowSource;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** One of a program's reusable steps: a step of each part. */
final class SplitStep implements Step {
  private final SplitProgram program;
  private final Batch rows;
  // Made once: a step allocates nothing.
  private final RowSource handover = this::fill;
  private RowSource source = RowSource.NONE;
  private @Nullable Step first;
  private @Nullable Step second;

  /**
   * @param limits of the first part
   */
  SplitStep(SplitProgram program, StepLimits limits) {
    this.program = program;
    rows = new Batch(limits);
  }

  void enqueue(Batch batch, SplitState state, RowSource brought) {
    source = brought;
    rows.copyRowsFrom(batch);
    Step one = program.first().enqueue(rows, state.first(), brought);
    first = one;
    try {
      second = program.second().enqueue(batch, state.second(), handover);
    } catch (RuntimeException e) {
      first = null;
      one.close();
      throw e;
    }
  }

  /** On the second device's thread. */
  private void fill(String input, MemorySegment target) {
    if (input.equals(program.carried().name())) {
      MemorySegment.copy(open(first).output(input), 0, target, 0, target.byteSize());
    } else {
      source.fill(input, target);
    }
  }

  private static Step open(@Nullable Step part) {
    if (part == null) {
      throw new IllegalStateException("the step is closed");
    }
    return part;
  }

  @Override
  public MemorySegment output(String name) {
    // What made the first part fail says more than that the second had nothing to go on with.
    open(first).await();
    return open(program.isOfFirst(name) ? first : second).output(name);
  }

  @Override
  public void await() {
    open(first).await();
    open(second).await();
  }

  @Override
  public void close() {
    Step one = first;
    Step other = second;
    if (one == null || other == null) {
      return;
    }
    try {
      // It reads the first part's rows until it is done.
      other.close();
      one.close();
    } finally {
      first = null;
      second = null;
      program.giveBack(this);
    }
  }
}
