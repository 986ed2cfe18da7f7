package dev.kancil.text.tokenizer;

/** What becomes of the places where a text is cut: the separators that a pattern finds. */
enum SplitBehavior {
  /** A separator is a word of its own. */
  ISOLATED,
  /** Separators are left out. */
  REMOVED,
  /** A separator belongs to the text before it. */
  MERGED_WITH_PREVIOUS,
  /** A separator belongs to the text behind it. */
  MERGED_WITH_NEXT,
  /** Neighbouring separators are one word. */
  CONTIGUOUS;

  /** Takes separators and what lies between them in order, and hands over words. */
  static final class Cuts {
    private final SplitBehavior behavior;
    private final byte[] text;
    private final Splitter.Words words;
    private int start = -1;
    private int end = -1;
    private boolean separator;

    Cuts(SplitBehavior behavior, byte[] text, Splitter.Words words) {
      this.behavior = behavior;
      this.text = text;
      this.words = words;
    }

    /** Takes the next piece, which may be empty and begins where the last one ends. */
    void piece(int from, int to, boolean isSeparator) {
      switch (behavior) {
        case ISOLATED -> word(from, to);
        case REMOVED -> {
          if (!isSeparator) {
            word(from, to);
          }
        }
        case CONTIGUOUS -> next(from, to, isSeparator, start >= 0 && isSeparator == separator);
        case MERGED_WITH_PREVIOUS ->
            next(from, to, isSeparator, start >= 0 && isSeparator && !separator);
        case MERGED_WITH_NEXT ->
            next(from, to, isSeparator, start >= 0 && !isSeparator && separator);
      }
    }

    void end() {
      if (start >= 0) {
        word(start, end);
      }
    }

    private void next(int from, int to, boolean isSeparator, boolean joins) {
      if (!joins) {
        end();
        start = from;
      }
      end = to;
      separator = isSeparator;
    }

    private void word(int from, int to) {
      if (to > from) {
        words.word(text, from, to);
      }
    }
  }
}
