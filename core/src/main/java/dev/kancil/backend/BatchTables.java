package dev.kancil.backend;

import java.util.Arrays;

/**
 * The page tables of a batch's sequences, or their sources, in one group of layers, one after the
 * other.
 */
public final class BatchTables {
  private final int[] starts;
  private int[] pages;

  public BatchTables(StepLimits limits) {
    starts = new int[limits.sequences() + 1];
    pages = new int[limits.sequences()];
  }

  /** Takes the tables as they are now; allocates only where they have outgrown all before. */
  public void fill(Batch batch, PageTables state, int group) {
    boolean isOfSource = state.group(group).isOfSource();
    for (int i = 0; i < batch.sequenceCount(); i++) {
      int sequence = isOfSource ? batch.source(i) : batch.sequence(i);
      int end = starts[i];
      int needed = end + state.pageCount(sequence);
      if (needed > pages.length) {
        pages = Arrays.copyOf(pages, Math.max(needed, 2 * pages.length));
      }
      starts[i + 1] = end + state.copyPages(sequence, group, pages, end);
    }
  }

  /** All pages; what lies behind the last sequence's is of an earlier batch. */
  public int[] pages() {
    return pages;
  }

  /**
   * Where the pages of the batch's {@code index}-th sequence begin, or, for the number of its
   * sequences, where the last one's end.
   */
  public int start(int index) {
    return starts[index];
  }
}
