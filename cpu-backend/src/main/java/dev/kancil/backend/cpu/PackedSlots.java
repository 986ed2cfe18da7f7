package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Inputs of the slots of experts that have many, turned for {@link PackedTiles} as {@link
 * PackedRows} are: groups of at most {@link PackedTiles#WIDTH} slots of one expert. Filled by all
 * threads before a product's chunks run; the kernels of a program share it.
 */
final class PackedSlots implements WorkerPool.Work {
  private final ExpertSlots slots;
  private float[] packed = new float[0];
  // Of each expert its first group, and of each group its expert.
  private int[] starts = new int[0];
  private int[] experts = new int[0];
  private @Nullable MemorySegment source;
  private int columns;
  private int slotsOfInput;

  PackedSlots(ExpertSlots slots) {
    this.slots = slots;
  }

  /** Makes room for the largest step. */
  void reserve(int mostExperts, int mostSlots, int mostColumns) {
    // A last group that is not full is one of an expert with more than a few slots.
    int notFull = Math.min(mostExperts, mostSlots / (PanelProduct.FEW_ROWS + 1));
    int groups = mostSlots / PackedTiles.WIDTH + notFull;
    int size = Math.toIntExact((long) groups * PackedTiles.WIDTH * mostColumns);
    if (packed.length < size) {
      packed = new float[size];
    }
    if (starts.length < mostExperts) {
      starts = new int[mostExperts];
    }
    if (experts.length < groups) {
      experts = new int[groups];
    }
  }

  /**
   * Packs the inputs of all experts that have more than a few slots.
   *
   * @param newSlotsOfInput slots, one after the other, that share an input
   */
  void pack(
      MemorySegment x, int newColumns, int newSlotsOfInput, int expertCount, WorkerPool pool) {
    source = x;
    columns = newColumns;
    slotsOfInput = newSlotsOfInput;
    int groups = 0;
    for (int expert = 0; expert < expertCount; expert++) {
      starts[expert] = groups;
      if (slots.count(expert) > PanelProduct.FEW_ROWS) {
        for (int i = groups(expert); i > 0; i--) {
          experts[groups++] = expert;
        }
      }
    }
    pool.run(groups, this);
  }

  /** Groups of an expert that has more than a few slots. */
  int groups(int expert) {
    return Math.ceilDiv(slots.count(expert), PackedTiles.WIDTH);
  }

  /** Slots of an expert's {@code group}-th group. */
  int slotCount(int expert, int group) {
    return Math.min(PackedTiles.WIDTH, slots.count(expert) - group * PackedTiles.WIDTH);
  }

  @Override
  public void run(int group, int thread) {
    MemorySegment x = Objects.requireNonNull(source);
    int expert = experts[group];
    int first = (group - starts[expert]) * PackedTiles.WIDTH;
    int count = slotCount(expert, group - starts[expert]);
    int to = group * PackedTiles.WIDTH * columns;
    for (int t = 0; t < count; t++) {
      long row = slots.slot(expert, first + t) / slotsOfInput;
      spread(x, 4 * row * columns, columns, packed, to + t);
    }
  }

  private static void spread(MemorySegment x, long at, int columns, float[] target, int to) {
    for (int k = 0; k < columns; k++) {
      target[to + k * PackedTiles.WIDTH] = x.get(ValueLayout.JAVA_FLOAT, at + 4L * k);
    }
  }

  /** {@code results[p · WIDTH + t] = panel[p] · x} of the group's t-th slot. */
  void multiply(int expert, int group, float[] panel, int stride, int panelRows, float[] results) {
    PackedTiles.multiply(
        panel,
        stride,
        1,
        panelRows,
        packed,
        (starts[expert] + group) * PackedTiles.WIDTH * columns,
        columns,
        slotCount(expert, group),
        results,
        0,
        false);
  }

  /** Stores a group's results in columns {@code first} to {@code first + count} of its slots. */
  void store(
      int expert,
      int group,
      float[] results,
      MemorySegment y,
      int slotColumns,
      int first,
      int count) {
    int some = slotCount(expert, group);
    for (int t = 0; t < some; t++) {
      long slot = slots.slot(expert, group * PackedTiles.WIDTH + t);
      long at = 4 * (slot * slotColumns + first);
      for (int p = 0; p < count; p++) {
        y.set(ValueLayout.JAVA_FLOAT, at + 4L * p, results[p * PackedTiles.WIDTH + t]);
      }
    }
  }
}
