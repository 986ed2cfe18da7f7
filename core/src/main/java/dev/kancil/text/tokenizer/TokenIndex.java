package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.util.Arrays;

/**
 * Finds token ids by text. Hashes are those of {@link String#hashCode}, whose polynomial form lets
 * the hash of any range of a text follow from the hashes of its beginnings.
 */
final class TokenIndex {
  /** No honest vocabulary comes near; one made of colliding texts would take quadratic time. */
  private static final int MAX_PROBES = 2000;

  private static final long EMPTY = -1;

  private final String[] texts;

  /** A text's hash in the upper 32 bits, its id in the lower. */
  private final long[] slots;

  private final int shift;
  private int longest;

  private TokenIndex(String[] texts) {
    this.texts = texts;
    int bits = Math.max(4, 33 - Integer.numberOfLeadingZeros(texts.length));
    slots = new long[1 << bits];
    Arrays.fill(slots, EMPTY);
    shift = 32 - bits;
  }

  /**
   * Indexes all but empty texts.
   *
   * @param file what errors call the file
   * @throws FormatException if a text is there twice
   */
  static TokenIndex of(String file, String[] texts) {
    TokenIndex index = new TokenIndex(texts);
    int mask = index.slots.length - 1;
    for (int id = 0; id < texts.length; id++) {
      String text = texts[id];
      if (text.isEmpty()) {
        continue;
      }
      index.longest = Math.max(index.longest, text.length());
      int hash = text.hashCode();
      int slot = index.slot(hash);
      for (int probes = 0; index.slots[slot] != EMPTY; probes++) {
        int other = (int) index.slots[slot];
        if (index.slots[slot] >> 32 == hash && texts[other].equals(text)) {
          throw new FormatException(
              file + ": the tokens " + other + " and " + id + " have the same text");
        }
        if (probes == MAX_PROBES) {
          throw new FormatException(file + ": its tokens' hashes collide beyond reason");
        }
        slot = (slot + 1) & mask;
      }
      index.slots[slot] = (long) hash << 32 | id;
    }
    return index;
  }

  /** Length of the longest text, in UTF-16 units. */
  int longest() {
    return longest;
  }

  /** The token with this text, or -1. */
  int find(String text) {
    int hash = text.hashCode();
    for (int slot = slot(hash); slots[slot] != EMPTY; slot = (slot + 1) & (slots.length - 1)) {
      if (slots[slot] >> 32 == hash && texts[(int) slots[slot]].equals(text)) {
        return (int) slots[slot];
      }
    }
    return -1;
  }

  /** The token with the text in a range that has the given hash, or -1. */
  int find(char[] chars, int from, int to, int hash) {
    for (int slot = slot(hash); slots[slot] != EMPTY; slot = (slot + 1) & (slots.length - 1)) {
      if (slots[slot] >> 32 == hash && equal(texts[(int) slots[slot]], chars, from, to)) {
        return (int) slots[slot];
      }
    }
    return -1;
  }

  private static boolean equal(String text, char[] chars, int from, int to) {
    if (text.length() != to - from) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) != chars[from + i]) {
        return false;
      }
    }
    return true;
  }

  private int slot(int hash) {
    return (hash * 0x9E3779B9) >>> shift;
  }
}
