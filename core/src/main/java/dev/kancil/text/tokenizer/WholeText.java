package dev.kancil.text.tokenizer;

/** Leaves a text whole. */
record WholeText() implements Splitter {
  @Override
  public void split(byte[] text, int from, int to, Words words) {
    words.word(text, from, to);
  }
}
