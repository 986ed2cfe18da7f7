package dev.kancil.backend.host;

import dev.kancil.DeviceException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.BatchTables;
import dev.kancil.backend.RowSource;
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
  private final BatchTables[] tables;
  private final int[] sourceLengths;
  private @Nullable HostState state;
  private RowSource source = RowSource.NONE;
  private boolean done;
  private boolean open;
  private @Nullable Throwable failure;

  HostStep(HostProgram program, StepLimits limits, int groups, MemorySegment[] segments) {
    this.program = program;
    this.segments = segments;
    this.batch = new Batch(limits);
    this.tables = new BatchTables[groups];
    Arrays.setAll(tables, _ -> new BatchTables(limits));
    this.sourceLengths = new int[limits.sequences()];
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
    return tables[slot.group()].pages();
  }

  /** Where in {@link #pageTable} the pages of the batch's {@code index}-th sequence begin. */
  public int pageTableStart(StateSlot slot, int index) {
    return tables[slot.group()].start(index);
  }

  /** How many keys and values of a layer a sequence sees, those of this step's rows included. */
  public int length(StateSlot slot, int sequenceIndex) {
    return state().group(slot).isOfSource()
        ? sourceLengths[sequenceIndex]
        : batch.position(batch.endRow(sequenceIndex) - 1) + 1;
  }

  /** The row of a layer's keys or values where a sequence's {@code position} lies. */
  public long cacheRow(StateSlot slot, int sequenceIndex, int position) {
    int pageTokens = state().pageTokens();
    int page = pageTable(slot)[pageTableStart(slot, sequenceIndex) + position / pageTokens];
    return (long) page * pageTokens + position % pageTokens;
  }

  RowSource source() {
    return source;
  }

  void prepare(Batch rows, HostState newState, RowSource rowSource) {
    batch.copyFrom(rows);
    state = newState;
    source = rowSource;
    done = false;
    open = true;
    failure = null;
    for (int i = 0; i < batch.sequenceCount(); i++) {
      sourceLengths[i] = newState.length(batch.source(i));
    }
    for (int group = 0; group < tables.length; group++) {
      tables[group].fill(batch, newState.tables(), group);
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
