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
  private final int[] needed;

  /** Copies a page of one group to another before the next step writes to it. */
  @FunctionalInterface
  public interface Copy {
    void page(int group, int from, int to);
  }

  private static final class Sequence {
    int length;
    // The same for all groups: all hold the same positions.
    int pageCount;
    final int[][] pages;

    Sequence(int groups, int mostPages) {
      pages = new int[groups][mostPages];
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
    this.needed = new int[pools.length];
  }

  /**
   * The most pages that so many sequences with so many tokens together can begin: all but one token
   * of each fill whole pages.
   */
  public static int mostPages(int sequences, int tokens, int pageTokens) {
    return sequences + Math.floorDiv(tokens - sequences, pageTokens);
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
        sequences.set(i, new Sequence(pools.length, pages));
        return i;
      }
    }
    sequences.add(new Sequence(pools.length, pages));
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
    copied.pageCount = pages(length);
    for (int group = 0; group < pools.length; group++) {
      System.arraycopy(original.pages[group], 0, copied.pages[group], 0, copied.pageCount);
      for (int i = 0; i < copied.pageCount; i++) {
        int page = copied.pages[group][i];
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
    dropFrom(truncated, pages(length));
    truncated.length = length;
  }

  private void dropFrom(Sequence sequence, int firstPage) {
    for (int group = 0; group < pools.length; group++) {
      for (int i = firstPage; i < sequence.pageCount; i++) {
        if (sequence.pages[group][i] != GONE) {
          pools[group].drop(sequence.pages[group][i]);
        }
      }
    }
    sequence.pageCount = firstPage;
  }

  public void release(int sequence) {
    dropFrom(find(sequence), 0);
    sequences.set(sequence, null);
  }

  /** Tokens that a step with these rows can append to a sequence that has none among them. */
  public int room(Batch batch, int sequence) {
    Sequence extended = find(sequence);
    countNeeded(batch);
    int room = Integer.MAX_VALUE;
    for (int group = 0; group < pools.length; group++) {
      int free = pools[group].freeCount - needed[group];
      boolean shared = writesSharedPage(extended, group);
      if (shared && free < 1) {
        return 0;
      }
      int most = extended.pageCount + free - (shared ? 1 : 0);
      long end = (long) Math.min(most, pages) * pageTokens;
      room = (int) Math.min(room, end - extended.length);
    }
    return room;
  }

  /**
   * Makes room for a batch's rows, which become part of their sequences. Checks everything before
   * anything is changed.
   *
   * @throws InvalidRequestException if a position does not continue its sequence, or pages run out
   */
  public void append(Batch batch) {
    requireRoom(batch);
    for (int i = 0; i < batch.sequenceCount(); i++) {
      extend(find(batch.sequence(i)), batch.endRow(i) - batch.firstRow(i));
    }
  }

  /**
   * Checks that there is room for a batch's rows.
   *
   * @throws InvalidRequestException as {@link #append}
   */
  void requireRoom(Batch batch) {
    countNeeded(batch);
    for (int i = 0; i < batch.sequenceCount(); i++) {
      int end = batch.position(batch.endRow(i) - 1) + 1;
      // Where windows give pages back a sequence could outgrow its table before pages run out.
      if (pools.length > 0 && pages(end) > pages) {
        throw new InvalidRequestException(
            "the KV cache is full: it holds "
                + pages * pageTokens
                + " tokens, not "
                + end
                + "; raise the context size");
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
  }

  /** Counts the fresh pages that a batch takes of each group, checking its rows on the way. */
  private void countNeeded(Batch batch) {
    Arrays.fill(needed, 0);
    for (int i = 0; i < batch.sequenceCount(); i++) {
      Sequence sequence = find(batch.sequence(i));
      find(batch.source(i));
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
        needed[group] += pages(end) - sequence.pageCount;
        if (writesSharedPage(sequence, group)) {
          needed[group]++;
        }
      }
    }
  }

  /**
   * Gives back pages that lie wholly before the window of every row still to come, also if the last
   * one so far is taken back. Called once the step that {@link #append} prepared is enqueued: that
   * step's first rows may still read them.
   */
  public void dropBehindWindows(Batch batch) {
    for (int i = 0; i < batch.sequenceCount(); i++) {
      Sequence sequence = find(batch.sequence(i));
      for (int group = 0; group < pools.length; group++) {
        int window = layout.groups().get(group).window();
        if (window == 0) {
          continue;
        }
        int firstVisible = sequence.length - window;
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

  /** Pages of a sequence in each group, those included that a window gave back. */
  public int pageCount(int sequence) {
    return find(sequence).pageCount;
  }

  /** Copies the page table of a sequence's group to {@code target} from {@code offset} on. */
  public int copyPages(int sequence, int group, int[] target, int offset) {
    Sequence copied = find(sequence);
    System.arraycopy(copied.pages[group], 0, target, offset, copied.pageCount);
    return copied.pageCount;
  }

  private void extend(Sequence sequence, int tokens) {
    int after = pages(sequence.length + tokens);
    for (int group = 0; group < pools.length; group++) {
      Pool pool = pools[group];
      int[] pages = sequence.pages[group];
      if (writesSharedPage(sequence, group)) {
        int last = sequence.pageCount - 1;
        int fresh = pool.take();
        copy.page(group, pages[last], fresh);
        pool.drop(pages[last]);
        pages[last] = fresh;
      }
      for (int i = sequence.pageCount; i < after; i++) {
        pages[i] = pool.take();
      }
    }
    sequence.pageCount = after;
    sequence.length += tokens;
  }

  private boolean writesSharedPage(Sequence sequence, int group) {
    if (sequence.length % pageTokens == 0) {
      return false;
    }
    return pools[group].references[sequence.pages[group][sequence.pageCount - 1]] > 1;
  }

  private int pages(int tokens) {
    return Math.ceilDiv(tokens, pageTokens);
  }

  /**
   * Checks that the first {@code length} tokens of a sequence can be forked or be left.
   *
   * @throws InvalidRequestException if it is shorter, or has given back what a window must show
   */
  void requireKept(int sequence, int length) {
    requireKept(find(sequence), length);
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
