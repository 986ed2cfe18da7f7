package dev.kancil.text.tokenizer;

/** Keeps runs of word characters and runs of others but white space: {@code \w+|[^\w\s]+}. */
final class WordSplitter implements Splitter {
  private static final int SPACE = 0;
  private static final int WORD = 1;
  private static final int OTHER = 2;

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    int start = from;
    int kind = SPACE;
    for (int at = from; at < to; at += Utf8.length(text[at])) {
      int next = kind(Utf8.codeAt(text, at));
      if (next != kind) {
        if (kind != SPACE) {
          words.word(text, start, at);
        }
        start = at;
        kind = next;
      }
    }
    if (kind != SPACE) {
      words.word(text, start, to);
    }
  }

  private static int kind(int code) {
    return CharacterClass.isWord(code)
        ? WORD
        : CharacterClass.ofCode(code) == CharacterClass.SPACE ? SPACE : OTHER;
  }
}
