package dev.kancil.text.tokenizer;

import java.util.Arrays;

/** The tokens around one text, and around two that belong together. */
record PostProcessing(int[] before, int[] after, Pair pair) {
  /** The tokens before, between and behind two texts. */
  record Pair(int[] before, int[] between, int[] after) {}

  static final PostProcessing NONE =
      new PostProcessing(new int[0], new int[0], new Pair(new int[0], new int[0], new int[0]));

  /** With a token as the first, or without it. */
  PostProcessing withBeginning(int token, boolean added) {
    boolean there = before.length > 0 && before[0] == token;
    if (there == added) {
      return this;
    }
    int[] other = added ? joined(new int[] {token}, before) : rest(before, 1, before.length);
    return ofSingle(other, after);
  }

  /** With a token as the last, or without it. */
  PostProcessing withEnd(int token, boolean added) {
    boolean there = after.length > 0 && after[after.length - 1] == token;
    if (there == added) {
      return this;
    }
    int[] other = added ? joined(after, new int[] {token}) : rest(after, 0, after.length - 1);
    return ofSingle(before, other);
  }

  private static int[] joined(int[] first, int[] second) {
    int[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  private static int[] rest(int[] all, int from, int to) {
    return Arrays.copyOfRange(all, from, to);
  }

  /** Whether it adds nothing. */
  boolean isNone() {
    return before.length + after.length == 0
        && pair.before().length + pair.between().length + pair.after().length == 0;
  }

  /** Around two texts, what is around each of them. */
  static PostProcessing ofSingle(int[] before, int[] after) {
    int[] between = joined(after, before);
    return new PostProcessing(before, after, new Pair(before, between, after));
  }
}
