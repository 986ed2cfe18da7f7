package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * Cuts a text where a pattern matches.
 *
 * @param inverted whether what lies between the matches separates, and not the matches
 */
record PatternSplitter(TextPattern pattern, SplitBehavior behavior, boolean inverted)
    implements Splitter {
  @Override
  public void split(byte[] text, int from, int to, Words words) {
    String chars = new String(text, from, to - from, StandardCharsets.UTF_8);
    Places places = new Places(chars, from);
    var cuts = new SplitBehavior.Cuts(behavior, text, words);
    int[] rest = {from};
    pattern.matches(
        chars,
        (start, end) -> {
          int matchFrom = places.of(start);
          int matchTo = places.of(end);
          if (matchFrom != rest[0]) {
            cuts.piece(rest[0], matchFrom, inverted);
          }
          cuts.piece(matchFrom, matchTo, !inverted);
          rest[0] = matchTo;
        });
    if (rest[0] != to) {
      cuts.piece(rest[0], to, inverted);
    }
    cuts.end();
  }

  /** Places in UTF-8 of ascending places in UTF-16. */
  private static final class Places {
    private final String chars;
    private int index;
    private int place;

    Places(String chars, int from) {
      this.chars = chars;
      this.place = from;
    }

    int of(int wanted) {
      while (index < wanted) {
        char unit = chars.charAt(index++);
        place += unit < 0x80 ? 1 : unit < 0x800 || Character.isSurrogate(unit) ? 2 : 3;
      }
      return place;
    }
  }
}
