package dev.kancil.backend.host;

import dev.kancil.DeviceException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.Uninterrupted;
import dev.kancil.graph.StateSlot;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One of a program's reusable steps: a copy of the batch, the page tables as they were when it was
 * enqueued, and where each value lies.
 */
public final class HostStep implements Step {
  final MemorySegment[] segments;
  final Runnable task = this::execute;
  // Made once, as the task is: a step allocates nothing.
  private final Uninterrupted.Wait change = this::wait;
  private final HostProgram program;
  private final Batch batch;
  private final int[][] tables;
  private final int[][] tableStarts;
  private @Nullable HostState state;
  private boolean done;
  private boolean open;
  private @Nullable Throwable failure;

  HostStep(HostProgram program, StepLimits limits, int groups, MemorySegment[] segments) {
    this.program = program;
    this.segments = segments;
    this.batch = new Batch(limits);
    this.tables = new int[groups][limits.sequences()];
    this.tableStarts = new int[groups][limits.sequences() + 1];
  }

  /** The rows. */
  public Batch batch() {
    return batch;
  }

  /** The state that the step reads and writes. */
  public HostState state() {
    HostState current = state;
    if (current == null) {
      throw new IllegalStateException("the step has no state");
    }
    return current;
  }

  /** Page tables of a group, all sequences of the batch one after the other. */
  public int[] pageTable(StateSlot slot) {
    return tables[slot.group()];
  }

  /** Where in {@link #pageTable} the pages of the batch's {@code index}-th sequence begin. */
  public int pageTableStart(StateSlot slot, int index) {
    return tableStarts[slot.group()][index];
  }

  /** The row of a layer's keys or values where a sequence's {@code position} lies. */
  public long cacheRow(StateSlot slot, int sequenceIndex, int position) {
    int pageTokens = state().pageTokens();
    int page =
        tables[slot.group()][tableStarts[slot.group()][sequenceIndex] + position / pageTokens];
    return (long) page * pageTokens + position % pageTokens;
  }

  void prepare(Batch source, HostState newState) {
    batch.copyFrom(source);
    state = newState;
    done = false;
    open = true;
    failure = null;
    for (int group = 0; group < tables.length; group++) {
      int end = 0;
      for (int i = 0; i < batch.sequenceCount(); i++) {
        tableStarts[group][i] = end;
        int needed = end + newState.tables().pageCount(batch.sequence(i));
        if (needed > tables[group].length) {
          tables[group] = Arrays.copyOf(tables[group], Math.max(needed, 2 * tables[group].length));
        }
        end += newState.tables().copyPages(batch.sequence(i), group, tables[group], end);
      }
      tableStarts[group][batch.sequenceCount()] = end;
    }
  }

  private void execute() {
    program.execute(this);
  }

  void finish(@Nullable Throwable thrown) {
    synchronized (this) {
      failure = thrown;
      done = true;
      notifyAll();
    }
  }

  private synchronized void waitUntilDone() {
    while (!done) {
      Uninterrupted.run(change);
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
    return program.output(name).data(this);
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
