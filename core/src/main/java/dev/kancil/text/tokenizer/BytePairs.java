package dev.kancil.text.tokenizer;

/**
 * Byte-level byte-pair encoding of words: bytes merge to ever longer tokens, whose texts are
 * written in the {@link ByteLevel} alphabet (Sennrich et al. 2016, Radford et al. 2019). A byte
 * without a token is left out; in honest vocabularies that befalls control characters and what
 * can't be in UTF-8.
 */
final class BytePairs implements WordModel {
  /** What files and libraries do differently. */
  record Options(boolean wholeWords, boolean leavesOutFirst) {}

  private final TokenIndex index;
  private final MergeTable merges;
  private final Options options;
  private final int[] byteTokens;
  private final WordCache cache = new WordCache();

  /**
   * @param options whether a word that is a token is that token, whatever the merges say; and
   *     whether bytes without a token are left out before merging, so that their neighbours may
   *     merge
   */
  BytePairs(Vocabulary vocabulary, MergeTable merges, Options options) {
    this.index = vocabulary.index();
    this.merges = merges;
    this.options = options;
    this.byteTokens = byteTokens(vocabulary);
  }

  /** The token of each byte, or -1. */
  static int[] byteTokens(Vocabulary vocabulary) {
    int[] tokens = new int[256];
    for (int value = 0; value < 256; value++) {
      tokens[value] = vocabulary.find(String.valueOf(ByteLevel.character((byte) value)));
    }
    return tokens;
  }

  @Override
  public Splitter.Words encoder(IdBuffer ids) {
    return new Encoder(ids);
  }

  private final class Encoder extends CachedWords {
    private final PairMerger merger = new PairMerger(merges);

    Encoder(IdBuffer ids) {
      super(cache, ids);
    }

    @Override
    void encode(byte[] text, int from, int to) {
      if (options.wholeWords()) {
        int id = whole(text, from, to);
        if (id >= 0) {
          ids.add(id);
          return;
        }
      }
      merger.clear();
      for (int i = from; i < to; i++) {
        int token = byteTokens[text[i] & 0xFF];
        if (token >= 0 || !options.leavesOutFirst()) {
          merger.add(token, i + 1 - from);
        }
      }
      merger.merge();
      for (int i = 0; i < merger.count(); i++) {
        if (merger.symbol(i) >= 0) {
          ids.add(merger.symbol(i));
        }
      }
    }

    private int whole(byte[] text, int from, int to) {
      if (to - from > index.longest()) {
        return -1;
      }
      char[] chars = new char[to - from];
      int hash = 0;
      for (int i = 0; i < chars.length; i++) {
        chars[i] = ByteLevel.character(text[from + i]);
        hash = 31 * hash + chars[i];
      }
      return index.find(chars, 0, chars.length, hash);
    }
  }
}
