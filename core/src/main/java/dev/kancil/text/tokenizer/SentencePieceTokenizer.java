package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * SentencePiece's byte-pair encoding as GGUF files describe it: a text with a space before it, of
 * which {@link ScoredPairs} makes pieces.
 */
final class SentencePieceTokenizer extends Tokenizer {
  private static final char SPACE = '▁';
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private final boolean addsSpace;
  private final Splitter splitter;
  private final ScoredPairs pairs;

  private SentencePieceTokenizer(
      Vocabulary vocabulary,
      TokenRoles roles,
      SpecialTokens specialTokens,
      float[] scores,
      boolean addsSpace) {
    super(vocabulary, roles, specialTokens);
    this.addsSpace = addsSpace;
    int[] byteTokens = new int[256];
    for (int value = 0; value < 256; value++) {
      int id = vocabulary.find(byteName(value));
      if (id < 0 && value < 128) {
        id = vocabulary.find(String.valueOf((char) value));
      }
      byteTokens[value] = id >= 0 ? id : roles.unknown().orElse(-1);
    }
    splitter = SpaceSplitter.of(vocabulary, true);
    pairs =
        new ScoredPairs(vocabulary, scores, new ScoredPairs.Options(byteTokens, -1, false, false));
  }

  /** The name of a byte's token: {@code <0x0A>}. */
  static String byteName(int value) {
    return "<0x" + HEX.toHexDigits((byte) value) + ">";
  }

  static SentencePieceTokenizer read(GgufMetadata metadata) {
    Vocabulary vocabulary = Vocabulary.read(metadata);
    float[] scores = scores(metadata, vocabulary);
    TokenRoles roles =
        TokenRoles.read(metadata, vocabulary, new TokenRoles.Defaults(1, 2, 0, -1, true));
    return new SentencePieceTokenizer(
        vocabulary,
        roles,
        SpecialTokens.of(metadata, vocabulary),
        scores,
        metadata.bool("tokenizer.ggml.add_space_prefix").orElse(true));
  }

  static float[] scores(GgufMetadata metadata, Vocabulary vocabulary) {
    String key = "tokenizer.ggml.scores";
    float[] scores;
    if (metadata.value(key).orElse(null) instanceof GgufValue.Ints(_, long[] values)) {
      scores = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        scores[i] = values[i];
      }
    } else {
      scores = metadata.floats(key);
    }
    if (scores.length != vocabulary.size()) {
      throw new FormatException(
          metadata.file()
              + ": there are "
              + vocabulary.size()
              + " tokens but "
              + scores.length
              + " scores");
    }
    for (int id = 0; id < scores.length; id++) {
      if (Float.isNaN(scores[id])) {
        throw new FormatException(metadata.file() + ": the score of token " + id + " is no number");
      }
    }
    return scores;
  }

  @Override
  EncodingPass pass(IdBuffer ids, boolean controlTokens) {
    return new Pass(ids);
  }

  @Override
  boolean addsSpace() {
    return addsSpace;
  }

  @Override
  byte[] textBytes(int id) {
    String text = vocabulary().text(id);
    if (vocabulary().is(id, Vocabulary.CONTROL | Vocabulary.UNKNOWN | Vocabulary.USER_DEFINED)) {
      return text.getBytes(StandardCharsets.UTF_8);
    }
    int value = vocabulary().is(id, Vocabulary.BYTE) ? Vocabulary.byteOf(text) : -1;
    return value >= 0
        ? new byte[] {(byte) value}
        : text.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
  }

  private final class Pass extends EncodingPass {
    private final Splitter.Words words;
    private boolean spaceNext = addsSpace;

    Pass(IdBuffer ids) {
      super(ids);
      words = pairs.encoder(ids);
    }

    @Override
    void token(int id) {
      super.token(id);
      spaceNext = addsSpace;
    }

    @Override
    void text(byte[] text, int from, int to) {
      if (spaceNext) {
        spaceNext = false;
        byte[] prefixed = new byte[to - from + 1];
        prefixed[0] = ' ';
        System.arraycopy(text, from, prefixed, 1, to - from);
        splitter.split(prefixed, 0, prefixed.length, words);
      } else {
        splitter.split(text, from, to, words);
      }
    }
  }
}
