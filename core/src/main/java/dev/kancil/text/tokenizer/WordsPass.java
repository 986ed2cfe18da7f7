package dev.kancil.text.tokenizer;

/** Cuts text into words, and hands them to what encodes them. */
final class WordsPass extends EncodingPass {
  private final Splitter splitter;
  private final Splitter.Words words;

  WordsPass(Splitter splitter, Splitter.Words words, IdBuffer ids) {
    super(ids);
    this.splitter = splitter;
    this.words = words;
  }

  @Override
  void text(byte[] text, int from, int to) {
    splitter.split(text, from, to, words);
  }
}
