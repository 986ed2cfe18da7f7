package dev.kancil.text.tokenizer;

import dev.kancil.text.tokenizer.RunSplitter.CharacterSet;

/** Cuts a text at each character of a set. */
record SetSplitter(CharacterSet separators, SplitBehavior behavior) implements Splitter {
  @Override
  public void split(byte[] text, int from, int to, Words words) {
    var cuts = new SplitBehavior.Cuts(behavior, text, words);
    int rest = from;
    for (int at = from; at < to; ) {
      int next = at + Utf8.length(text[at]);
      if (separators.contains(Utf8.codeAt(text, at))) {
        if (at > rest) {
          cuts.piece(rest, at, false);
        }
        cuts.piece(at, next, true);
        rest = next;
      }
      at = next;
    }
    if (to > rest) {
      cuts.piece(rest, to, false);
    }
    cuts.end();
  }
}
