package dev.kancil.text.tokenizer;

/** Encodes words, of which the cache knows most. */
abstract class CachedWords implements Splitter.Words {
  final IdBuffer ids;
  private final WordCache cache;

  CachedWords(WordCache cache, IdBuffer ids) {
    this.cache = cache;
    this.ids = ids;
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
