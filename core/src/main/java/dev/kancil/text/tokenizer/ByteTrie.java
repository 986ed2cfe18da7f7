package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Finds the longest of many texts that begins at a place. Edges are in one open-addressing table.
 */
final class ByteTrie {
  private static final int MAX_NODES = 1 << 23;

  /** At each place of a text, so much of it may be looked at. */
  static final int MAX_PIECE = 4096;

  private final int[] keys;
  private final int[] children;
  private final int[] tokens;
  private final int shift;
  private int nodes = 1;

  /** Of some tokens of a vocabulary by their texts. */
  ByteTrie(String file, Vocabulary vocabulary, int[] ids) {
    this(file, textsOf(vocabulary, ids), ids);
  }

  /**
   * @param file what errors call the file
   * @param texts what to find; empty texts are never found, and of equal ones the last is
   * @param ids the token of each text
   */
  ByteTrie(String file, String[] texts, int[] ids) {
    long bytes = 1;
    for (String text : texts) {
      bytes += Utf8.encodedLength(text);
    }
    if (bytes > MAX_NODES) {
      throw new FormatException(file + ": its tokens are impossibly long");
    }
    int bits = 34 - Integer.numberOfLeadingZeros((int) bytes);
    shift = 32 - bits;
    keys = new int[1 << bits];
    children = new int[1 << bits];
    tokens = new int[(int) bytes];
    Arrays.fill(tokens, -1);
    for (int i = 0; i < texts.length; i++) {
      int node = 0;
      for (byte value : texts[i].getBytes(StandardCharsets.UTF_8)) {
        node = childOrNew(node, value);
      }
      if (node != 0) {
        tokens[node] = ids[i];
      }
    }
  }

  private static String[] textsOf(Vocabulary vocabulary, int[] ids) {
    String[] texts = new String[ids.length];
    for (int i = 0; i < ids.length; i++) {
      texts[i] = vocabulary.text(ids[i]);
    }
    return texts;
  }

  /** Where a step from the root or another node leads, or 0: nowhere. */
  int child(int node, byte value) {
    int key = (node << 8 | (value & 0xFF)) + 1;
    for (int slot = slot(key); ; slot = (slot + 1) & (keys.length - 1)) {
      if (keys[slot] == key) {
        return children[slot];
      }
      if (keys[slot] == 0) {
        return 0;
      }
    }
  }

  /** The token whose text leads from the root to a node, or -1. */
  int token(int node) {
    return tokens[node];
  }

  private int childOrNew(int node, byte value) {
    int key = (node << 8 | (value & 0xFF)) + 1;
    int slot = slot(key);
    while (keys[slot] != 0) {
      if (keys[slot] == key) {
        return children[slot];
      }
      slot = (slot + 1) & (keys.length - 1);
    }
    keys[slot] = key;
    children[slot] = nodes;
    return nodes++;
  }

  private int slot(int key) {
    return (key * 0x9E3779B9) >>> shift;
  }
}
