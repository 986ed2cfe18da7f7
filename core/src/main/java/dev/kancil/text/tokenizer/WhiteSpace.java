package dev.kancil.text.tokenizer;

/** How the usual patterns cut white space. */
final class WhiteSpace {
  private WhiteSpace() {}

  /**
   * The end of a word of white space that begins at {@code from}: {@code \s+(?!\S)|\s+}, so that a
   * run before other text leaves its last character to that text.
   */
  static int end(byte[] text, int from, int to) {
    int end = CharacterClass.skip(text, from, to, CharacterClass.SPACE);
    if (end == to) {
      return end;
    }
    int last = Utf8.before(text, end);
    return last > from ? last : end;
  }

  /** As {@link #end}, but a run with line ends is cut behind the last of them. */
  static int endAtLines(byte[] text, int from, int to) {
    int end = CharacterClass.skip(text, from, to, CharacterClass.SPACE);
    for (int last = end; last > from; last--) {
      if (isLineEnd(text[last - 1])) {
        return last;
      }
    }
    if (end == to) {
      return end;
    }
    int last = Utf8.before(text, end);
    return last > from ? last : end;
  }

  static boolean isLineEnd(byte value) {
    return value == '\n' || value == '\r';
  }
}
