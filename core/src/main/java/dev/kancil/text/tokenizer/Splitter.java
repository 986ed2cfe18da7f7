package dev.kancil.text.tokenizer;

/**
 * Cuts a part of a text into words, within which a byte-level vocabulary merges bytes and across
 * which it never does. Words are never empty, cover the part and come in order.
 */
interface Splitter {
  /** Takes words. */
  interface Words {
    void word(byte[] text, int from, int to);
  }

  /** Cuts a part of well-formed UTF-8. What lies outside it is as if it were not there. */
  void split(byte[] text, int from, int to, Words words);

  /** Cuts further what this one leaves. */
  default Splitter then(Splitter next) {
    return new Chain(this, next);
  }

  /** Two cuts, one after the other. Classes, since a first lambda costs a start-up dear. */
  record Chain(Splitter first, Splitter second) implements Splitter {
    private record Second(Splitter second, Words words) implements Words {
      @Override
      public void word(byte[] text, int from, int to) {
        second.split(text, from, to, words);
      }
    }

    @Override
    public void split(byte[] text, int from, int to, Words words) {
      first.split(text, from, to, new Second(second, words));
    }
  }
}
