package dev.kancil.text.tokenizer;

/**
 * Sets apart runs of characters of one set; what lies between them stays whole. Does what patterns
 * such as {@code \p{N}}, {@code \p{N}{1,3}}, {@code [\r\n]} and {@code \s?\p{L}+} do.
 *
 * @param leadingSpace whether one white space character before a run belongs to it
 * @param shortest the fewest characters of a run; shorter ones are not set apart
 * @param longest the most characters of a run; longer ones are cut
 */
record RunSplitter(CharacterSet set, boolean leadingSpace, int shortest, int longest)
    implements Splitter {

  /** Which characters are meant. */
  interface CharacterSet {
    boolean contains(int code);

    /** All characters of some classes. */
    static CharacterSet ofClasses(int classes) {
      return code -> (CharacterClass.ofCode(code) & classes) != 0;
    }

    default CharacterSet and(String others) {
      return code -> contains(code) || others.indexOf(code) >= 0;
    }
  }

  /** Each character by itself. */
  static RunSplitter single(CharacterSet set) {
    return new RunSplitter(set, false, 1, 1);
  }

  static RunSplitter runs(CharacterSet set) {
    return new RunSplitter(set, false, 1, Integer.MAX_VALUE);
  }

  static RunSplitter runsWithLeadingSpace(CharacterSet set) {
    return new RunSplitter(set, true, 1, Integer.MAX_VALUE);
  }

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    int rest = from;
    for (int at = from; at < to; ) {
      int start = at;
      int code = Utf8.codeAt(text, at);
      int next = at + Utf8.length(text[at]);
      if (leadingSpace && next < to && CharacterClass.ofCode(code) == CharacterClass.SPACE) {
        start = next;
        code = Utf8.codeAt(text, start);
      }
      int end = set.contains(code) ? end(text, start, to) : start;
      if (end == start) {
        at = next;
        continue;
      }
      if (at > rest) {
        words.word(text, rest, at);
      }
      words.word(text, at, end);
      at = end;
      rest = end;
    }
    if (to > rest) {
      words.word(text, rest, to);
    }
  }

  private int end(byte[] text, int from, int to) {
    int count = 0;
    int at = from;
    while (count < longest && at < to && set.contains(Utf8.codeAt(text, at))) {
      at += Utf8.length(text[at]);
      count++;
    }
    return count < shortest ? from : at;
  }
}
