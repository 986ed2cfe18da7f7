package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufMetadata;
import java.nio.charset.StandardCharsets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Byte-level byte-pair encoding as GGUF files describe it: words of a pattern, then {@link
 * BytePairs}.
 */
final class BytePairTokenizer extends Tokenizer {
  private static final Logger LOG = LoggerFactory.getLogger(BytePairTokenizer.class);

  private final Splitter splitter;
  private final BytePairs pairs;

  private BytePairTokenizer(
      Vocabulary vocabulary,
      TokenRoles roles,
      SpecialTokens specialTokens,
      Splitter splitter,
      BytePairs pairs) {
    super(vocabulary, roles, specialTokens);
    this.splitter = splitter;
    this.pairs = pairs;
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
    BytePairs pairs =
        new BytePairs(vocabulary, merges, new BytePairs.Options(preTokenizer.wholeWords(), false));
    return new BytePairTokenizer(vocabulary, roles, specialTokens, preTokenizer.splitter(), pairs);
  }

  @Override
  EncodingPass pass(IdBuffer ids, boolean controlTokens) {
    return new WordsPass(splitter, pairs.encoder(ids), ids);
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
}
