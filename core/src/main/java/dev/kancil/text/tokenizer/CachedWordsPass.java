package dev.kancil.text.tokenizer;

/** Encodes word by word, and what the cache knows not at all. */
abstract class CachedWordsPass extends EncodingPass implements Splitter.Words {
  private final WordCache cache;

  CachedWordsPass(WordCache cache, IdBuffer ids) {
    super(ids);
    this.cache = cache;
  }

  @Override
  public final void word(byte[] text, int from, int to) {
    if (to - from > WordCache.MAX_WORD) {
      encode(text, from, to);
      return;
    }
    int hash = WordCache.hash(text, from, to);
    int[] known = cache.get(text, from, to, hash);
    if (known == null) {
      int before = ids.size();
      encode(text, from, to);
      cache.put(text, from, to, hash, ids.copyFrom(before));
    } else {
      ids.addAll(known);
    }
  }

  /** Appends a word's ids, which must depend on the word alone. */
  abstract void encode(byte[] text, int from, int to);
}
