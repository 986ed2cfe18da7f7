package dev.kancil.text.tokenizer;

/**
 * Cuts a part of a text into words, across which nothing merges. Words are never empty and come in
 * order. Some leave out what separates words, or change the text: words may lie in another array.
 */
interface Splitter {
  /** Takes words. */
  interface Words {
    /** Takes a word, which is there for the time of this call. */
    void word(byte[] text, int from, int to);
  }

  /** Cuts a part of well-formed UTF-8. What lies outside it is as if it were not there. */
  void split(byte[] text, int from, int to, Words words);

  /** What does the same for parts that do not begin the whole text. */
  default Splitter afterStart() {
    return this;
  }

  /** Cuts further what this one leaves. */
  default Splitter then(Splitter next) {
    if (this instanceof WholeText) {
      return next;
    }
    return next instanceof WholeText ? this : new Chain(this, next);
  }

  /** Two cuts, one after the other. Classes, since a first lambda costs a start-up dear. */
  record Chain(Splitter first, Splitter second) implements Splitter {
    private record Second(Splitter second, Words words) implements Words {
      @Override
      public void word(byte[] text, int from, int to) {
        second.split(text, from, to, words);
      }
    }

    /** Tells the word that begins the whole text, if there is one, from the others. */
    private static final class FirstAndOthers implements Words {
      private final byte[] whole;
      private final int start;
      private final Splitter others;
      private final Words words;
      private Splitter next;

      FirstAndOthers(byte[] whole, int start, Splitter second, Words words) {
        this.whole = whole;
        this.start = start;
        this.next = second;
        this.others = second.afterStart();
        this.words = words;
      }

      @Override
      @SuppressWarnings("ReferenceEquality") // Whether it is the very same text.
      public void word(byte[] text, int from, int to) {
        boolean first = from == (text == whole ? start : 0);
        (first ? next : others).split(text, from, to, words);
        next = others;
      }
    }

    @Override
    public Splitter afterStart() {
      Splitter one = first.afterStart();
      Splitter two = second.afterStart();
      return one.equals(first) && two.equals(second) ? this : new Chain(one, two);
    }

    @Override
    public void split(byte[] text, int from, int to, Words words) {
      Words next =
          second.afterStart().equals(second)
              ? new Second(second, words)
              : new FirstAndOthers(text, from, second, words);
      first.split(text, from, to, next);
    }
  }
}
