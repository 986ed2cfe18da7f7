package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The rows of x that experts' slots take, beside each other for each expert, for {@link
 * VectorProduct}s.
 */
final class ExpertRows implements WorkerPool.Work {
  private final ProductRows rows = new ProductRows();
  private final ExpertSlots slots;
  // Where what single products take begins, of each expert that has few slots.
  private int[] few = new int[0];
  private @Nullable MemorySegment source;
  private int columns;
  private int slotsOfInput;

  ExpertRows(ExpertSlots slots) {
    this.slots = slots;
  }

  /** Makes room for the largest step. */
  void reserve(int experts, int mostSlots, int mostColumns) {
    rows.reserve(
        mostSlots,
        (int) Math.min(mostSlots, (long) VectorTiles.MOST_SINGLES * experts),
        mostColumns);
    if (few.length < experts) {
      few = new int[experts];
    }
  }

  /**
   * Fills it for the slots that are sorted.
   *
   * @param newSlotsOfInput slots, one after the other, that share a row of x
   */
  void fill(MemorySegment x, int newColumns, int newSlotsOfInput, int experts, WorkerPool pool) {
    source = x;
    columns = newColumns;
    slotsOfInput = newSlotsOfInput;
    rows.begin(newColumns);
    int next = 0;
    for (int expert = 0; expert < experts; expert++) {
      few[expert] = next;
      next += slots.count(expert) <= VectorTiles.MOST_SINGLES ? slots.count(expert) : 0;
    }
    pool.run(experts, this);
  }

  @Override
  public void run(int expert, int thread) {
    int count = slots.count(expert);
    for (int i = 0; i < count; i++) {
      int row = slots.start(expert) + i;
      long at = 4L * (slots.slot(expert, i) / slotsOfInput) * columns;
      rows.put(row, Objects.requireNonNull(source), at, columns);
      if (count <= VectorTiles.MOST_SINGLES) {
        rows.shift(row, few[expert] + i);
      }
    }
  }

  /** As {@link VectorProduct#multiply}, with {@code some} slots of an expert. */
  void multiply(
      VectorTiles weight,
      int expert,
      int row,
      int begin,
      int some,
      Scratch scratch,
      int thread,
      float[] results) {
    boolean singles = slots.count(expert) <= weight.mostSingles();
    VectorProduct.multiply(
        weight,
        expert,
        row,
        rows,
        slots.start(expert) + begin,
        few[expert] + begin,
        some,
        singles,
        scratch,
        thread,
        results);
  }
}
