package dev.kancil.text.tokenizer;

/** Sets every number character apart: {@code \p{N}}. */
final class DigitSplitter implements Splitter {
  private static final int NO_NUMBER = CharacterClass.ALL & ~CharacterClass.NUMBER;

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    for (int at = from; at < to; ) {
      int end = CharacterClass.skip(text, at, to, NO_NUMBER);
      if (end > at) {
        words.word(text, at, end);
      }
      at = end;
      if (at < to) {
        end = at + Utf8.length(text[at]);
        words.word(text, at, end);
        at = end;
      }
    }
  }
}
