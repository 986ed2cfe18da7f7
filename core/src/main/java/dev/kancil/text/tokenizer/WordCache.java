package dev.kancil.text.tokenizer;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the ids of words. A word has one place, which the latest word that hashes to it takes,
 * so that size is bounded. Threads share it without locks: entries are immutable and safe to read
 * however they were published, and a lost write only costs encoding the word again.
 */
final class WordCache {
  /** Longer words hardly come twice. */
  static final int MAX_WORD = 64;

  private static final int BITS = 15;

  private static final class Entry {
    final int hash;
    final byte[] word;
    final int[] ids;

    Entry(int hash, byte[] word, int[] ids) {
      this.hash = hash;
      this.word = word;
      this.ids = ids;
    }
  }

  private final @Nullable Entry[] entries = new @Nullable Entry[1 << BITS];

  static int hash(byte[] text, int from, int to) {
    int hash = to - from;
    for (int i = from; i < to; i++) {
      hash = (hash ^ text[i]) * 0x01000193;
    }
    return hash ^ hash >>> 15;
  }

  /** The ids, which must not be changed, or null. */
  int @Nullable [] get(byte[] text, int from, int to, int hash) {
    Entry entry = entries[hash & (1 << BITS) - 1];
    return entry != null
            && entry.hash == hash
            && Arrays.equals(entry.word, 0, entry.word.length, text, from, to)
        ? entry.ids
        : null;
  }

  void put(byte[] text, int from, int to, int hash, int[] ids) {
    entries[hash & (1 << BITS) - 1] = new Entry(hash, Arrays.copyOfRange(text, from, to), ids);
  }
}
