package dev.kancil.backend.accelerator;

import dev.kancil.backend.Batch;
import dev.kancil.backend.BatchTables;
import dev.kancil.backend.PageTables;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.op.Sample;
import dev.kancil.graph.op.SampleParameters;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * What a step brings to the device, in one buffer that all steps of a program use one after the
 * other: counts, ids, positions, which sequence each row is of, and where its pages are.
 */
public final class StepInputs implements AutoCloseable {
  /** Index of the number of tokens among the counts. */
  public static final int TOKENS = 0;

  /** Index of the number of outputs. */
  public static final int OUTPUTS = 1;

  private static final int COUNTS = 4;

  // Parts of the buffer; the last begins a part for each group.
  private static final int COUNTS_PART = 0;
  private static final int TOKENS_PART = 1;
  private static final int POSITIONS_PART = 2;
  private static final int OUTPUT_ROWS_PART = 3;
  private static final int ROW_SEQUENCE_PART = 4;
  private static final int LENGTHS_PART = 5;
  private static final int SOURCE_LENGTHS_PART = 6;
  private static final int SAMPLING_PART = 7;
  private static final int ADAPTERS_PART = 8;
  private static final int OUTPUT_ADAPTERS_PART = 9;
  private static final int TABLE_STARTS_PART = 10;

  private final DeviceMemory memory;
  private final DeviceBuffer whole;
  private final DeviceBuffer[] parts;
  private final long[] offsets;
  private final DeviceBuffer[] tables;
  private final DeviceBuffer changes;
  private final int groups;
  private final int sequences;

  StepInputs(DeviceMemory memory, StepLimits limits, StateLayout layout) {
    this.memory = memory;
    this.groups = layout.groups().size();
    this.sequences = limits.sequences();
    this.tables = new DeviceBuffer[groups];
    int[] sizes = new int[TABLE_STARTS_PART + groups];
    Arrays.fill(sizes, limits.sequences() + 1);
    sizes[COUNTS_PART] = COUNTS;
    sizes[TOKENS_PART] = limits.tokens();
    sizes[POSITIONS_PART] = limits.tokens();
    sizes[OUTPUT_ROWS_PART] = limits.outputs();
    sizes[ROW_SEQUENCE_PART] = limits.tokens();
    sizes[ADAPTERS_PART] = limits.tokens();
    sizes[OUTPUT_ADAPTERS_PART] = limits.outputs();
    sizes[SAMPLING_PART] = Math.multiplyExact(limits.outputs(), SampleParameters.COLUMNS);
    offsets = new long[sizes.length + 1];
    for (int i = 0; i < sizes.length; i++) {
      offsets[i + 1] = offsets[i] + memory.align((long) sizes[i] * Integer.BYTES);
    }
    whole = memory.allocate(offsets[sizes.length], "a step's inputs");
    parts = new DeviceBuffer[sizes.length];
    for (int i = 0; i < sizes.length; i++) {
      parts[i] = memory.part(whole, offsets[i], (long) sizes[i] * Integer.BYTES);
    }
    try {
      changes = memory.allocate(changeBytes(limits.changes()), "changed logits");
    } catch (RuntimeException e) {
      whole.close();
      throw e;
    }
  }

  private static long changeBytes(int count) {
    return (long) count * Sample.CHANGE_COLUMNS * Integer.BYTES;
  }

  /** How many {@link #TOKENS} and {@link #OUTPUTS} the step has. */
  public DeviceBuffer counts() {
    return parts[COUNTS_PART];
  }

  /** Ids of the rows. */
  public DeviceBuffer tokens() {
    return parts[TOKENS_PART];
  }

  /** Of the rows in their sequences. */
  public DeviceBuffer positions() {
    return parts[POSITIONS_PART];
  }

  /** The rows for which outputs are asked. */
  public DeviceBuffer outputRows() {
    return parts[OUTPUT_ROWS_PART];
  }

  /** Which adapter each row has. */
  public DeviceBuffer adapters() {
    return parts[ADAPTERS_PART];
  }

  /** Which adapter each row has for which outputs are asked. */
  public DeviceBuffer outputAdapters() {
    return parts[OUTPUT_ADAPTERS_PART];
  }

  /** How each output row's token is chosen. */
  public DeviceBuffer sampling() {
    return parts[SAMPLING_PART];
  }

  /** Changes of single logits, all output rows one after the other. */
  public DeviceBuffer changes() {
    return changes;
  }

  /** For each row the index of its sequence in the batch. */
  public DeviceBuffer rowSequence() {
    return parts[ROW_SEQUENCE_PART];
  }

  /**
   * For each sequence of the batch its tokens, those of this step included, or those of its source.
   */
  public DeviceBuffer lengths(boolean ofSource) {
    return parts[ofSource ? SOURCE_LENGTHS_PART : LENGTHS_PART];
  }

  /**
   * For each sequence of the batch where its pages, or its source's, begin in the group's tables.
   */
  public DeviceBuffer tableStarts(int group) {
    return parts[TABLE_STARTS_PART + group];
  }

  /** The page tables of a group, all sequences of the batch one after the other. */
  public DeviceBuffer tables(int group) {
    return tables[group];
  }

  long bytes() {
    return whole.bytes() + changes.bytes();
  }

  /** Makes room for the page tables of any batch of this state's sequences. */
  void fit(PageTables state) {
    long entries = Math.multiplyExact((long) state.pages(), sequences);
    for (int group = 0; group < groups; group++) {
      if (tables[group] == null || tables[group].bytes() < entries * Integer.BYTES) {
        if (tables[group] != null) {
          tables[group].close();
        }
        tables[group] = memory.allocate(entries * Integer.BYTES, "page tables");
      }
    }
  }

  /** A step's inputs in host memory, on their way. */
  final class Staging {
    private final MemorySegment data;
    private final MemorySegment[] pages = new MemorySegment[groups];
    private final int[] pageCounts = new int[groups];
    private final BatchTables copied;
    private MemorySegment changed = MemorySegment.NULL;
    private long changedBytes;

    Staging(Arena arena, StepLimits limits) {
      copied = new BatchTables(limits);
      data = memory.hostMemory(arena, offsets[offsets.length - 1]);
      Arrays.fill(pages, MemorySegment.NULL);
    }

    /** Takes a batch, whose rows the state already counts. */
    void fill(Batch batch, PageTables state) {
      set(COUNTS_PART, TOKENS, batch.rows());
      set(COUNTS_PART, OUTPUTS, batch.outputs());
      for (int row = 0; row < batch.rows(); row++) {
        set(TOKENS_PART, row, batch.token(row));
        set(POSITIONS_PART, row, batch.position(row));
        set(ADAPTERS_PART, row, batch.adapter(row));
      }
      for (int i = 0; i < batch.outputs(); i++) {
        set(OUTPUT_ROWS_PART, i, batch.outputRow(i));
        set(OUTPUT_ADAPTERS_PART, i, batch.adapter(batch.outputRow(i)));
      }
      batch.copySampling(data, offsets[SAMPLING_PART]);
      fillChanges(batch);
      for (int i = 0; i < batch.sequenceCount(); i++) {
        for (int row = batch.firstRow(i); row < batch.endRow(i); row++) {
          set(ROW_SEQUENCE_PART, row, i);
        }
        set(LENGTHS_PART, i, state.length(batch.sequence(i)));
        set(SOURCE_LENGTHS_PART, i, state.length(batch.source(i)));
      }
      for (int group = 0; group < groups; group++) {
        fillTables(batch, state, group);
      }
    }

    private void fillChanges(Batch batch) {
      changedBytes = changeBytes(batch.changes());
      if (changed.byteSize() < changedBytes) {
        // The step that used the old one is done, or this would not be filled.
        changed = Arena.ofAuto().allocate(2 * changedBytes, 64);
      }
      batch.copyChanges(changed);
    }

    private void fillTables(Batch batch, PageTables state, int group) {
      copied.fill(batch, state, group);
      for (int i = 0; i <= batch.sequenceCount(); i++) {
        set(TABLE_STARTS_PART + group, i, copied.start(i));
      }
      int count = copied.start(batch.sequenceCount());
      if (pages[group].byteSize() < 4L * count) {
        // The step that used the old one is done, or this would not be filled.
        pages[group] = Arena.ofAuto().allocate(4L * copied.pages().length, 64);
      }
      MemorySegment.copy(copied.pages(), 0, pages[group], ValueLayout.JAVA_INT, 0, count);
      pageCounts[group] = count;
    }

    private void set(int part, int index, int value) {
      data.set(ValueLayout.JAVA_INT, offsets[part] + 4L * index, value);
    }

    /** Sends all on its way; this must stay until it has arrived. */
    void enqueue() {
      memory.enqueueWrite(whole, data, data.byteSize());
      if (changedBytes > 0) {
        memory.enqueueWrite(changes, changed, changedBytes);
      }
      for (int group = 0; group < groups; group++) {
        if (pageCounts[group] > 0) {
          memory.enqueueWrite(tables[group], pages[group], 4L * pageCounts[group]);
        }
      }
    }
  }

  @Override
  public void close() {
    for (DeviceBuffer part : parts) {
      part.close();
    }
    whole.close();
    changes.close();
    for (DeviceBuffer table : tables) {
      if (table != null) {
        table.close();
      }
    }
  }
}
