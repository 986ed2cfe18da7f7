package dev.kancil.text.tokenizer;

/** Puts a space before a text that begins with none; cuts nothing. */
final class SpacePrefix implements Splitter {
  @Override
  public void split(byte[] text, int from, int to, Words words) {
    if (from == to || text[from] == ' ') {
      words.word(text, from, to);
      return;
    }
    byte[] prefixed = new byte[to - from + 1];
    prefixed[0] = ' ';
    System.arraycopy(text, from, prefixed, 1, to - from);
    words.word(prefixed, 0, prefixed.length);
  }
}
