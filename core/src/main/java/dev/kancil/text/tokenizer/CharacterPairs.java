package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Byte-pair encoding of words whose symbols are characters (Sennrich et al. 2016), as Hugging
 * Face's library defines it: what is no token becomes its bytes' tokens, or the unknown token, or
 * is left out before anything merges.
 */
final class CharacterPairs implements WordModel {
  /**
   * What a file may ask for.
   *
   * @param unknown what stands for a character that is no token, or -1: it is left out
   * @param fusesUnknown whether several of them in a row are one
   * @param byteFallback whether its bytes are tried first, where all of them have tokens
   * @param wholeWords whether a word that is a token is that token, whatever the merges say
   * @param prefix what is put before each character but a word's first
   * @param suffix what is put behind a word's last character
   */
  record Options(
      int unknown,
      boolean fusesUnknown,
      boolean byteFallback,
      boolean wholeWords,
      String prefix,
      String suffix) {}

  private final Vocabulary vocabulary;
  private final MergeTable merges;
  private final Options options;
  private final int[] byteTokens;
  private final WordCache cache = new WordCache();

  CharacterPairs(Vocabulary vocabulary, MergeTable merges, Options options) {
    this.vocabulary = vocabulary;
    this.merges = merges;
    this.options = options;
    this.byteTokens = byteTokens(vocabulary, options.byteFallback());
  }

  /** The tokens of bytes by their names, {@code <0x0A>}, or -1. */
  static int[] byteTokens(Vocabulary vocabulary, boolean used) {
    int[] tokens = new int[256];
    Arrays.fill(tokens, -1);
    for (int value = 0; used && value < 256; value++) {
      tokens[value] = vocabulary.find(SentencePieceTokenizer.byteName(value));
    }
    return tokens;
  }

  /** Whether a word may be cut where no token has two neighbouring characters: merges decide. */
  boolean mergesAlone() {
    int[] others = Arrays.copyOf(byteTokens, 257);
    others[256] = options.unknown();
    return options.prefix().isEmpty() && options.suffix().isEmpty() && !merges.usesAny(others);
  }

  @Override
  public Splitter.Words encoder(IdBuffer ids) {
    return new Encoder(ids);
  }

  private final class Encoder extends CachedWords {
    private final PairMerger merger = new PairMerger(merges);
    private final char[] units = new char[2];
    private int symbols;

    Encoder(IdBuffer ids) {
      super(cache, ids);
    }

    @Override
    void encode(byte[] text, int from, int to) {
      if (options.wholeWords()) {
        int id = vocabulary.find(new String(text, from, to - from, StandardCharsets.UTF_8));
        if (id >= 0) {
          ids.add(id);
          return;
        }
      }
      merger.clear();
      symbols = 0;
      boolean unknownPending = false;
      for (int at = from; at < to; ) {
        int next = at + Utf8.length(text[at]);
        int code = Utf8.codeAt(text, at);
        boolean first = at == from;
        boolean last = next == to;
        int id = find(code, first, last);
        if (id >= 0) {
          if (unknownPending) {
            add(options.unknown());
            unknownPending = false;
          }
          add(id);
        } else if (!addBytes(code, first, last) && options.unknown() >= 0) {
          if (unknownPending && !options.fusesUnknown()) {
            add(options.unknown());
          }
          unknownPending = true;
        }
        at = next;
      }
      if (unknownPending) {
        add(options.unknown());
      }
      merger.merge();
      for (int i = 0; i < merger.count(); i++) {
        ids.add(merger.symbol(i));
      }
    }

    private void add(int id) {
      merger.add(id, ++symbols);
    }

    private int find(int code, boolean first, boolean last) {
      if ((first || options.prefix().isEmpty()) && (!last || options.suffix().isEmpty())) {
        int length = Character.toChars(code, units, 0);
        int hash = length == 1 ? units[0] : 31 * units[0] + units[1];
        return vocabulary.index().find(units, 0, length, hash);
      }
      return vocabulary.find(symbol(code, first, last));
    }

    private String symbol(int code, boolean first, boolean last) {
      return (first ? "" : options.prefix())
          + Character.toString(code)
          + (last ? options.suffix() : "");
    }

    private boolean addBytes(int code, boolean first, boolean last) {
      if (!options.byteFallback()) {
        return false;
      }
      byte[] bytes = symbol(code, first, last).getBytes(StandardCharsets.UTF_8);
      for (byte value : bytes) {
        if (byteTokens[value & 0xFF] < 0) {
          return false;
        }
      }
      for (byte value : bytes) {
        add(byteTokens[value & 0xFF]);
      }
      return true;
    }
  }
}
