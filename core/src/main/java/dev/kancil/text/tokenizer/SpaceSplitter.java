package dev.kancil.text.tokenizer;

import java.util.HashSet;
import java.util.Set;

/**
 * Cuts a text that has no words, for speed: before a {@code ▁} wherever no token has one behind the
 * same character, since no merge can then reach across.
 */
final class SpaceSplitter implements Splitter {
  private static final char SPACE = '▁';

  private final boolean plainSpaces;
  private final Set<Integer> beforeSpace = new HashSet<>();

  private SpaceSplitter(boolean plainSpaces) {
    this.plainSpaces = plainSpaces;
  }

  /**
   * @param plainSpaces whether a space counts as a {@code ▁}
   */
  static SpaceSplitter of(Vocabulary vocabulary, boolean plainSpaces) {
    SpaceSplitter splitter = new SpaceSplitter(plainSpaces);
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = vocabulary.text(id);
      for (int at = text.indexOf(SPACE, 1); at > 0; at = text.indexOf(SPACE, at + 1)) {
        splitter.beforeSpace.add(text.codePointBefore(at));
      }
    }
    return splitter;
  }

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    int start = from;
    boolean afterSpace = true;
    for (int at = from; at < to; ) {
      boolean space = isSpace(text, at, to);
      if (space && !afterSpace && !beforeSpace.contains(Utf8.codeAt(text, Utf8.before(text, at)))) {
        words.word(text, start, at);
        start = at;
      }
      afterSpace = space;
      at += Utf8.length(text[at]);
    }
    if (to > start) {
      words.word(text, start, to);
    }
  }

  private boolean isSpace(byte[] text, int at, int to) {
    return (plainSpaces && text[at] == ' ')
        || (text[at] == (byte) 0xE2
            && at + 2 < to
            && text[at + 1] == (byte) 0x96
            && text[at + 2] == (byte) 0x81);
  }
}
