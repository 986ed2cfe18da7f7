package dev.kancil.text.tokenizer;

/** Removes the white space at the ends of a text. */
record SpaceStrip(boolean left, boolean right) implements Normalization {
  @Override
  public Text apply(Text text) {
    String all = text.text();
    int from = 0;
    int to = all.length();
    // White space has no surrogates.
    while (left && from < to && isSpace(all.charAt(from))) {
      from++;
    }
    while (right && to > from && isSpace(all.charAt(to - 1))) {
      to--;
    }
    return from == 0 && to == all.length()
        ? text
        : new Text(all.substring(from, to), text.atStart() && from == 0);
  }

  private static boolean isSpace(char unit) {
    return CharacterClass.ofCode(unit) == CharacterClass.SPACE;
  }
}
