package dev.kancil.backend;

import dev.kancil.InvalidRequestException;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The bookkeeping of paged sequence state, the same for every device: which page of which group
 * holds which tokens, who shares it, and which are free. Pages of a group cover {@link #pageTokens}
 * positions; page i of a sequence holds positions from {@code i · pageTokens}. All groups move
 * together, so that a failed reservation changes nothing.
 */
public final class PageTables {
  /** A page that was given back because it lies before a window. */
  public static final int GONE = -1;

  private final StateLayout layout;
  private final int pageTokens;
  private final int pages;
  private final Pool[] pools;
  private final List<@Nullable Sequence> sequences = new ArrayList<>();
  private final Copy copy;

  /** Copies a page of one group to another before the next step writes to it. */
  @FunctionalInterface
  public interface Copy {
    void page(int group, int from, int to);
  }

  private static final class Sequence {
    int length;
    final int[][] pages;

    Sequence(int groups) {
      pages = new int[groups][0];
    }
  }

  private static final class Pool {
    final int[] references;
    final int[] free;
    int freeCount;

    Pool(int pages) {
      references = new int[pages];
      free = new int[pages];
      freeCount = pages;
      for (int i = 0; i < pages; i++) {
        free[i] = pages - 1 - i;
      }
    }

    int take() {
      int page = free[--freeCount];
      references[page] = 1;
      return page;
    }

    void drop(int page) {
      if (--references[page] == 0) {
        free[freeCount++] = page;
      }
    }
  }

  /**
   * @param pages pages of each group
   * @param copy called when a shared page is about to be written
   */
  public PageTables(StateLayout layout, int pageTokens, int pages, Copy copy) {
    this.layout = layout;
    this.pageTokens = pageTokens;
    this.pages = pages;
    this.copy = copy;
    this.pools = new Pool[layout.groups().size()];
    Arrays.setAll(pools, group -> new Pool(pages));
  }

  public int pageTokens() {
    return pageTokens;
  }

  /** Pages of each group. */
  public int pages() {
    return pages;
  }

  public int open() {
    for (int i = 0; i < sequences.size(); i++) {
      if (sequences.get(i) == null) {
        sequences.set(i, new Sequence(pools.length));
        return i;
      }
    }
    sequences.add(new Sequence(pools.length));
    return sequences.size() - 1;
  }

  public int length(int sequence) {
    return find(sequence).length;
  }

  public int fork(int sequence, int length) {
    Sequence original = find(sequence);
    requireKept(original, length);
    int fork = open();
    Sequence copied = find(fork);
    copied.length = length;
    for (int group = 0; group < pools.length; group++) {
      copied.pages[group] = Arrays.copyOf(original.pages[group], pages(length));
      for (int page : copied.pages[group]) {
        if (page != GONE) {
          pools[group].references[page]++;
        }
      }
    }
    return fork;
  }

  public void truncate(int sequence, int length) {
    Sequence truncated = find(sequence);
    requireKept(truncated, length);
    for (int group = 0; group < pools.length; group++) {
      int[] pages = truncated.pages[group];
      for (int i = pages(length); i < pages.length; i++) {
        if (pages[i] != GONE) {
          pools[group].drop(pages[i]);
        }
      }
      truncated.pages[group] = Arrays.copyOf(pages, pages(length));
    }
    truncated.length = length;
  }

  public void release(int sequence) {
    truncateAll(find(sequence));
    sequences.set(sequence, null);
  }

  /** Tokens that can be appended whatever sequences they belong to, at worst a page for each. */
  public int freeTokens() {
    int free = Integer.MAX_VALUE;
    for (Pool pool : pools) {
      free = Math.min(free, pool.freeCount);
    }
    return pools.length == 0 ? Integer.MAX_VALUE : Math.multiplyExact(free, pageTokens);
  }

  /**
   * Makes room for a batch's rows, which become part of their sequences. Checks everything before
   * anything is changed.
   *
   * @throws InvalidRequestException if a position does not continue its sequence, or pages run out
   */
  public void append(Batch batch) {
    int[] needed = new int[pools.length];
    for (int i = 0; i < batch.sequenceCount(); i++) {
      Sequence sequence = find(batch.sequence(i));
      int first = batch.firstRow(i);
      if (first == batch.endRow(i)) {
        throw new InvalidRequestException("a sequence without rows in a batch");
      }
      for (int j = 0; j < i; j++) {
        if (batch.sequence(j) == batch.sequence(i)) {
          throw new InvalidRequestException("a sequence twice in a batch");
        }
      }
      if (batch.position(first) != sequence.length) {
        throw new InvalidRequestException(
            "position "
                + batch.position(first)
                + " does not follow "
                + sequence.length
                + " tokens");
      }
      int end = Math.addExact(sequence.length, batch.endRow(i) - first);
      for (int group = 0; group < pools.length; group++) {
        needed[group] += pages(end) - sequence.pages[group].length;
        if (writesSharedPage(sequence, group)) {
          needed[group]++;
        }
      }
    }
    for (int group = 0; group < pools.length; group++) {
      if (needed[group] > pools[group].freeCount) {
        throw new InvalidRequestException(
            "the KV cache is full: "
                + needed[group]
                + " pages of "
                + pageTokens
                + " tokens needed, "
                + pools[group].freeCount
                + " free; raise the context size");
      }
    }
    for (int i = 0; i < batch.sequenceCount(); i++) {
      extend(find(batch.sequence(i)), batch.endRow(i) - batch.firstRow(i));
    }
  }

  /**
   * Gives back pages that lie wholly before the window of every row still to come. Called once the
   * step that {@link #append} prepared is enqueued: that step's first rows may still read them.
   */
  public void dropBehindWindows(Batch batch) {
    for (int i = 0; i < batch.sequenceCount(); i++) {
      Sequence sequence = find(batch.sequence(i));
      for (int group = 0; group < pools.length; group++) {
        int window = layout.groups().get(group).window();
        if (window == 0) {
          continue;
        }
        int firstVisible = sequence.length - window + 1;
        int[] pages = sequence.pages[group];
        for (int page = 0; (page + 1) * pageTokens <= firstVisible; page++) {
          if (pages[page] != GONE) {
            pools[group].drop(pages[page]);
            pages[page] = GONE;
          }
        }
      }
    }
  }

  /** Pages of a sequence's group, those included that a window gave back. */
  public int pageCount(int sequence, int group) {
    return find(sequence).pages[group].length;
  }

  /** Copies the page table of a sequence's group to {@code target} from {@code offset} on. */
  public int copyPages(int sequence, int group, int[] target, int offset) {
    int[] pages = find(sequence).pages[group];
    System.arraycopy(pages, 0, target, offset, pages.length);
    return pages.length;
  }

  private void extend(Sequence sequence, int tokens) {
    for (int group = 0; group < pools.length; group++) {
      Pool pool = pools[group];
      int[] pages = sequence.pages[group];
      if (writesSharedPage(sequence, group)) {
        int last = pages.length - 1;
        int fresh = pool.take();
        copy.page(group, pages[last], fresh);
        pool.drop(pages[last]);
        pages[last] = fresh;
      }
      int before = pages.length;
      int after = pages(sequence.length + tokens);
      if (after > before) {
        pages = Arrays.copyOf(pages, after);
        for (int i = before; i < after; i++) {
          pages[i] = pool.take();
        }
        sequence.pages[group] = pages;
      }
    }
    sequence.length += tokens;
  }

  private boolean writesSharedPage(Sequence sequence, int group) {
    if (sequence.length % pageTokens == 0) {
      return false;
    }
    int[] pages = sequence.pages[group];
    return pools[group].references[pages[pages.length - 1]] > 1;
  }

  private void truncateAll(Sequence sequence) {
    for (int group = 0; group < pools.length; group++) {
      for (int page : sequence.pages[group]) {
        if (page != GONE) {
          pools[group].drop(page);
        }
      }
    }
  }

  private int pages(int tokens) {
    return Math.ceilDiv(tokens, pageTokens);
  }

  private void requireKept(Sequence sequence, int length) {
    if (length < 0 || length > sequence.length) {
      throw new InvalidRequestException(
          "a sequence of " + sequence.length + " tokens has no first " + length);
    }
    for (int group = 0; group < pools.length; group++) {
      int window = layout.groups().get(group).window();
      int firstVisible = window == 0 ? 0 : Math.max(0, length - window + 1);
      for (int page = firstVisible / pageTokens; page < pages(length); page++) {
        if (sequence.pages[group][page] == GONE) {
          throw new InvalidRequestException(
              "tokens before position " + length + " have left the attention window");
        }
      }
    }
  }

  private Sequence find(int sequence) {
    Sequence found = sequence >= 0 && sequence < sequences.size() ? sequences.get(sequence) : null;
    if (found == null) {
      throw new InvalidRequestException("there is no sequence " + sequence);
    }
    return found;
  }

  /** The layout that the tables are for. */
  public StateLayout layout() {
    return layout;
  }

  /** Group {@code index} of the layout. */
  public StateGroup group(int index) {
    return layout.groups().get(index);
  }
}
