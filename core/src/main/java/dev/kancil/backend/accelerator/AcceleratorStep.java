package dev.kancil.backend.accelerator;

import dev.kancil.DeviceException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.RowSource;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.Uninterrupted;
import dev.kancil.backend.accelerator.DeviceMemory.Mark;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One of a program's reusable steps: its inputs on their way in, its outputs on their way out. */
final class AcceleratorStep implements Step {
  final Runnable task = this::execute;
  final StepInputs.Staging staging;
  private final Map<String, MemorySegment> brought;
  private final Map<String, MemorySegment> outputs;
  // Made once, as the task is.
  private final Uninterrupted.Wait change = this::wait;
  private final AcceleratorProgram program;
  private final Batch batch;
  private @Nullable AcceleratorState state;
  private RowSource source = RowSource.NONE;
  private @Nullable Mark mark;
  private boolean enqueued;
  private boolean open;
  private @Nullable Throwable failure;

  AcceleratorStep(
      AcceleratorProgram program,
      StepLimits limits,
      StepInputs.Staging staging,
      Map<String, MemorySegment> brought,
      Map<String, MemorySegment> outputs) {
    this.program = program;
    this.staging = staging;
    this.brought = brought;
    this.outputs = outputs;
    this.batch = new Batch(limits);
  }

  void prepare(Batch rows, AcceleratorState newState, RowSource rowSource) {
    batch.copyFrom(rows);
    source = rowSource;
    staging.fill(batch, newState.tables());
    state = newState;
    mark = null;
    enqueued = false;
    open = true;
    failure = null;
  }

  /** Waits for the rows of an input that no batch has. */
  void fill(String input, long bytes) {
    source.fill(input, brought(input).asSlice(0, bytes));
  }

  /** Host memory for an input that no batch has. */
  MemorySegment brought(String input) {
    return Objects.requireNonNull(brought.get(input));
  }

  Batch batch() {
    return batch;
  }

  AcceleratorState state() {
    AcceleratorState current = state;
    if (current == null) {
      throw new IllegalStateException("the step has no state");
    }
    return current;
  }

  private void execute() {
    Mark done = null;
    Throwable thrown = null;
    try {
      done = program.execute(this);
    } catch (Throwable e) {
      thrown = e;
    }
    synchronized (this) {
      mark = done;
      failure = thrown;
      enqueued = true;
      notifyAll();
    }
  }

  /** Waits for the device's thread to have enqueued the step, then for the device. */
  private synchronized void waitUntilDone() {
    while (!enqueued) {
      Uninterrupted.run(change);
    }
    Mark done = mark;
    if (done != null) {
      mark = null;
      try (done) {
        done.await();
      } catch (RuntimeException e) {
        failure = e;
      }
    }
  }

  @Override
  public void await() {
    waitUntilDone();
    if (failure != null) {
      throw new DeviceException("a step failed: " + failure, failure);
    }
  }

  @Override
  public MemorySegment output(String name) {
    if (!open) {
      throw new IllegalStateException("the step is closed");
    }
    await();
    return room(name);
  }

  /** Host memory for an output. */
  MemorySegment room(String name) {
    MemorySegment output = outputs.get(name);
    if (output == null) {
      throw new IllegalArgumentException(name + " is no output of the program");
    }
    return output;
  }

  @Override
  public void close() {
    if (open) {
      waitUntilDone();
      open = false;
      program.giveBack(this);
    }
  }
}
