package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Byte-level byte-pair encoding: a text is cut into words by a pattern, and within each word bytes
 * merge to ever longer tokens (Sennrich et al. 2016, Radford et al. 2019). A byte without a token
 * is left out, as all implementations do; in honest vocabularies that befalls control characters
 * and what can not be in UTF-8.
 */
final class BytePairTokenizer extends Tokenizer {
  private static final Logger LOG = LoggerFactory.getLogger(BytePairTokenizer.class);

  private final PreTokenizer preTokenizer;
  private final MergeTable merges;
  private final int[] byteTokens = new int[256];
  private final WordCache cache = new WordCache();

  private BytePairTokenizer(
      Vocabulary vocabulary,
      TokenRoles roles,
      SpecialTokens specialTokens,
      PreTokenizer preTokenizer,
      MergeTable merges) {
    super(vocabulary, roles, specialTokens);
    this.preTokenizer = preTokenizer;
    this.merges = merges;
    for (int value = 0; value < 256; value++) {
      byteTokens[value] = vocabulary.find(String.valueOf(ByteLevel.character((byte) value)));
    }
  }

  static BytePairTokenizer read(GgufMetadata metadata) {
    String file = metadata.file();
    String name = metadata.string("tokenizer.ggml.pre").orElse("");
    if (name.isEmpty()) {
      LOG.warn("{} names no pre-tokenizer (tokenizer.ggml.pre); its ids may be wrong", file);
      name = "default";
    }
    PreTokenizer preTokenizer = PreTokenizer.of(file, name);
    if (!metadata.contains("tokenizer.ggml.merges")) {
      throw new FormatException(file + ": it has no tokenizer.ggml.merges");
    }
    Vocabulary vocabulary = Vocabulary.read(metadata);
    MergeTable merges = MergeTable.of(vocabulary, metadata.strings("tokenizer.ggml.merges"));
    TokenRoles roles =
        TokenRoles.read(
            metadata, vocabulary, TokenRoles.Defaults.none(preTokenizer.addsBeginning()));
    SpecialTokens specialTokens = SpecialTokens.of(metadata, vocabulary);
    return new BytePairTokenizer(vocabulary, roles, specialTokens, preTokenizer, merges);
  }

  @Override
  EncodingPass pass(IdBuffer ids) {
    return new Pass(ids);
  }

  @Override
  byte[] textBytes(int id) {
    String text = vocabulary().text(id);
    if (vocabulary().is(id, Vocabulary.NORMAL | Vocabulary.UNUSED)
        && !vocabulary().is(id, Vocabulary.CONTROL | Vocabulary.USER_DEFINED)) {
      return ByteLevel.bytes(text);
    }
    int value = vocabulary().is(id, Vocabulary.BYTE) ? Vocabulary.byteOf(text) : -1;
    return value >= 0 ? new byte[] {(byte) value} : text.getBytes(StandardCharsets.UTF_8);
  }

  private final class Pass extends CachedWordsPass {
    private final PairMerger merger = new PairMerger(merges);

    Pass(IdBuffer ids) {
      super(cache, ids);
    }

    @Override
    void text(byte[] text, int from, int to) {
      preTokenizer.splitter().split(text, from, to, this);
    }

    @Override
    void encode(byte[] text, int from, int to) {
      if (preTokenizer.wholeWords()) {
        int id = whole(text, from, to);
        if (id >= 0) {
          ids.add(id);
          return;
        }
      }
      merger.clear();
      for (int i = from; i < to; i++) {
        merger.add(byteTokens[text[i] & 0xFF], i + 1 - from);
      }
      merger.merge();
      for (int i = 0; i < merger.count(); i++) {
        if (merger.symbol(i) >= 0) {
          ids.add(merger.symbol(i));
        }
      }
    }

    private int whole(byte[] text, int from, int to) {
      if (to - from > vocabulary().index().longest()) {
        return -1;
      }
      char[] chars = new char[to - from];
      int hash = 0;
      for (int i = 0; i < chars.length; i++) {
        chars[i] = ByteLevel.character(text[from + i]);
        hash = 31 * hash + chars[i];
      }
      return vocabulary().index().find(chars, 0, chars.length, hash);
    }
  }
}
