package dev.kancil.text.tokenizer;

/**
 * Cuts a text to words of so many characters.
 *
 * @param length at least 1
 */
record LengthSplitter(int length) implements Splitter {
  @Override
  public void split(byte[] text, int from, int to, Words words) {
    for (int at = from; at < to; ) {
      int end = at;
      for (int i = 0; i < length && end < to; i++) {
        end += Utf8.length(text[end]);
      }
      words.word(text, at, end);
      at = end;
    }
  }
}
