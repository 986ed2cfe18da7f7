package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/** The merges of a vocabulary: which two tokens become which, and how early. */
final class MergeTable implements PairMerger.Pairs {
  private static final long EMPTY = -1;
  private static final int MAX_PROBES = 2000;

  /** Pairs at even places, what they become behind them. */
  private final long[] table;

  private final int shift;

  private MergeTable(int merges) {
    int bits = Math.max(4, 33 - Integer.numberOfLeadingZeros(merges));
    if (bits > 29) {
      throw new FormatException("impossibly many merges: " + merges);
    }
    table = new long[2 << bits];
    Arrays.fill(table, EMPTY);
    shift = 64 - bits;
  }

  /** Reads lines of the form {@code left right}, best first. */
  static MergeTable of(Vocabulary vocabulary, List<String> merges) {
    MergeTable table = new MergeTable(merges.size());
    TokenIndex index = vocabulary.index();
    char[] chars = new char[64];
    for (int rank = 0; rank < merges.size(); rank++) {
      String merge = merges.get(rank);
      int length = merge.length();
      int space = merge.indexOf(' ', 1);
      if (space < 0 || space + 1 == length) {
        throw new FormatException(
            vocabulary.file()
                + ": the merge "
                + rank
                + " is not two tokens but '"
                + shown(merge)
                + "'");
      }
      if (chars.length < length) {
        chars = new char[length];
      }
      merge.getChars(0, space, chars, 0);
      merge.getChars(space + 1, length, chars, space);
      int leftHash = hash(chars, 0, space, 0);
      int left = index.find(chars, 0, space, leftHash);
      int right = index.find(chars, space, length - 1, hash(chars, space, length - 1, 0));
      int merged = index.find(chars, 0, length - 1, hash(chars, space, length - 1, leftHash));
      if (left < 0 || right < 0 || merged < 0) {
        throw new FormatException(
            vocabulary.file()
                + ": the merge "
                + rank
                + ", '"
                + shown(merge)
                + "', needs a token that is not in the vocabulary");
      }
      table.put(vocabulary, left, right, (long) rank << 32 | merged, false);
    }
    return table;
  }

  /**
   * Reads pairs, best first; of equal pairs the last counts, as in Hugging Face's library.
   *
   * @param pairs left and right tokens in turns
   * @param place what errors call the file and the field
   * @param prefix what begins a token within a word, and is left out where it is merged with what
   *     stands before it
   */
  static MergeTable of(Vocabulary vocabulary, String[] pairs, String place, String prefix) {
    MergeTable table = new MergeTable(pairs.length / 2);
    for (int rank = 0; rank < pairs.length / 2; rank++) {
      String left = pairs[2 * rank];
      String right = pairs[2 * rank + 1];
      int merged =
          right.startsWith(prefix) ? vocabulary.find(left + right.substring(prefix.length())) : -1;
      int leftId = vocabulary.find(left);
      int rightId = vocabulary.find(right);
      if (leftId < 0 || rightId < 0 || merged < 0) {
        throw new FormatException(
            place
                + "["
                + rank
                + "]: the merge '"
                + shown(left)
                + "' and '"
                + shown(right)
                + "' needs a token that is not in the vocabulary");
      }
      table.put(vocabulary, leftId, rightId, (long) rank << 32 | merged, true);
    }
    return table;
  }

  /** Whether one of some tokens takes part in a merge or comes of one; negative ids are none. */
  boolean usesAny(int[] ids) {
    BitSet wanted = new BitSet();
    for (int id : ids) {
      if (id >= 0) {
        wanted.set(id);
      }
    }
    for (int slot = 0; slot < table.length; slot += 2) {
      if (table[slot] != EMPTY
          && (wanted.get((int) (table[slot] >> 32))
              || wanted.get((int) table[slot])
              || wanted.get((int) table[slot + 1]))) {
        return true;
      }
    }
    return false;
  }

  private static int hash(char[] chars, int from, int to, int before) {
    int hash = before;
    for (int i = from; i < to; i++) {
      hash = 31 * hash + chars[i];
    }
    return hash;
  }

  static String shown(String text) {
    String start = text.length() > 40 ? text.substring(0, 40) + "…" : text;
    return start.replaceAll("\\p{Cntrl}", "?");
  }

  private void put(
      Vocabulary vocabulary, int left, int right, long becomes, boolean replacesEqual) {
    long pair = (long) left << 32 | right;
    int slot = slot(pair);
    for (int probes = 0; table[slot] != EMPTY; probes++) {
      if (table[slot] == pair) {
        if (replacesEqual) {
          table[slot + 1] = becomes;
        }
        return;
      }
      if (probes == MAX_PROBES) {
        throw new FormatException(vocabulary.file() + ": its merges' hashes collide beyond reason");
      }
      slot = (slot + 2) & (table.length - 1);
    }
    table[slot] = pair;
    table[slot + 1] = becomes;
  }

  @Override
  public long find(int left, int right, int from, int to) {
    if ((left | right) < 0) {
      return PairMerger.NONE; // A byte without a token.
    }
    long pair = (long) left << 32 | right;
    for (int slot = slot(pair); ; slot = (slot + 2) & (table.length - 1)) {
      if (table[slot] == pair) {
        return table[slot + 1];
      }
      if (table[slot] == EMPTY) {
        return PairMerger.NONE;
      }
    }
  }

  private int slot(long pair) {
    return (int) ((pair * 0x9E3779B97F4A7C15L) >>> shift) << 1;
  }
}
