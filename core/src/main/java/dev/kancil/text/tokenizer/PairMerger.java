package dev.kancil.text.tokenizer;

import java.util.Arrays;

/**
 * Merges neighbouring symbols of a word, always the pair of the best rank and of those the
 * leftmost, until no pair has a rank. Short words are scanned for the best pair, O(n²) with a tiny
 * constant; longer ones keep pairs in a heap, O(n log n). Used by one thread at a time.
 */
final class PairMerger {
  /** What a pair without a rank has instead of one. */
  static final long NONE = Long.MAX_VALUE;

  private static final int MAX_SCANNED = 40;

  /** Says which pairs merge. */
  interface Pairs {
    /**
     * The rank of two neighbouring symbols, lower is better, in the upper 32 bits, and the symbol
     * that they become in the lower; {@link #NONE} if they don't merge.
     *
     * @param from where the left symbol begins in the word
     * @param to where the right one ends
     */
    long find(int left, int right, int from, int to);
  }

  private final Pairs pairs;
  private int[] symbols = new int[64];
  private int[] starts = new int[65];
  private long[] ranks = new long[64];
  private int count;

  // For long words alone.
  private int[] previous = new int[0];
  private int[] next = new int[0];
  private long[] heap = new long[0];
  private int heapSize;

  PairMerger(Pairs pairs) {
    this.pairs = pairs;
  }

  /** Forgets the last word. */
  void clear() {
    count = 0;
    starts[0] = 0;
  }

  /** Appends a symbol that ends at the given place of the word. */
  void add(int symbol, int end) {
    if (count == symbols.length) {
      int capacity = Math.multiplyExact(count, 2);
      symbols = Arrays.copyOf(symbols, capacity);
      starts = Arrays.copyOf(starts, Math.addExact(capacity, 1));
      ranks = Arrays.copyOf(ranks, capacity);
    }
    symbols[count++] = symbol;
    starts[count] = end;
  }

  /** How many symbols there are. */
  int count() {
    return count;
  }

  int symbol(int index) {
    return symbols[index];
  }

  /** Where a symbol begins in the word; that of {@link #count} is the word's end. */
  int start(int index) {
    return starts[index];
  }

  /** Merges the symbols that were added. */
  void merge() {
    if (count <= MAX_SCANNED) {
      mergeByScanning();
    } else {
      mergeByHeap();
    }
  }

  private void mergeByScanning() {
    for (int i = 0; i + 1 < count; i++) {
      ranks[i] = pairs.find(symbols[i], symbols[i + 1], starts[i], starts[i + 2]);
    }
    while (count > 1) {
      int best = 0;
      for (int i = 1; i < count - 1; i++) {
        if (ranks[i] >> 32 < ranks[best] >> 32) {
          best = i;
        }
      }
      if (ranks[best] == NONE) {
        return;
      }
      symbols[best] = (int) ranks[best];
      int moved = count - best - 2;
      System.arraycopy(symbols, best + 2, symbols, best + 1, moved);
      System.arraycopy(starts, best + 2, starts, best + 1, moved + 1);
      if (moved > 0) {
        System.arraycopy(ranks, best + 2, ranks, best + 1, moved - 1);
      }
      count--;
      if (best + 1 < count) {
        ranks[best] = pairs.find(symbols[best], symbols[best + 1], starts[best], starts[best + 2]);
      }
      if (best > 0) {
        ranks[best - 1] =
            pairs.find(symbols[best - 1], symbols[best], starts[best - 1], starts[best + 1]);
      }
    }
  }

  /** An entry of the heap is a rank and the left symbol's index; stale ones are skipped. */
  private void mergeByHeap() {
    if (previous.length < count) {
      previous = new int[symbols.length];
      next = new int[symbols.length];
      heap = new long[symbols.length];
    }
    heapSize = 0;
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
      ranks[i] = NONE;
    }
    for (int i = 0; i + 1 < count; i++) {
      rank(i);
    }
    while (heapSize > 0) {
      long entry = pop();
      int left = (int) entry;
      if (ranks[left] == NONE || ranks[left] >> 32 != entry >> 32) {
        continue;
      }
      int right = next[left];
      symbols[left] = (int) ranks[left];
      next[left] = next[right];
      ranks[right] = NONE;
      if (next[right] < count) {
        previous[next[right]] = left;
      }
      rank(left);
      if (previous[left] >= 0) {
        rank(previous[left]);
      }
    }
    int kept = 0;
    for (int i = 0; i < count; i = next[i]) {
      symbols[kept] = symbols[i];
      starts[kept] = starts[i];
      kept++;
    }
    starts[kept] = starts[count];
    count = kept;
  }

  /** Finds anew what a symbol and the one after it merge to. */
  private void rank(int left) {
    int right = next[left];
    ranks[left] =
        right < count
            ? pairs.find(
                symbols[left], symbols[right], starts[left], starts[Math.min(next[right], count)])
            : NONE;
    if (ranks[left] != NONE) {
      push((ranks[left] & 0xFFFFFFFF00000000L) | left);
    }
  }

  private void push(long entry) {
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, Math.multiplyExact(heapSize, 2));
    }
    int at = heapSize++;
    while (at > 0) {
      int parent = (at - 1) >>> 1;
      if (heap[parent] <= entry) {
        break;
      }
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = entry;
  }

  private long pop() {
    long top = heap[0];
    long last = heap[--heapSize];
    int at = 0;
    while (true) {
      int child = 2 * at + 1;
      if (child >= heapSize) {
        break;
      }
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= last) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return top;
  }
}
