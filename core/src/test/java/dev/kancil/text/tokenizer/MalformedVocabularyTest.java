package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufValue;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MalformedVocabularyTest {
  private static void assertRefused(SmallVocabulary vocabulary, String... saying) {
    assertThatThrownBy(vocabulary::tokenizer)
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("small.gguf: ")
        .hasMessageNotContaining("\n")
        .message()
        .contains(saying)
        .hasSizeLessThan(400);
  }

  @Test
  void theSmallVocabulariesAreSound() {
    assertThat(SmallVocabulary.byteLevel().tokenizer().encode("hello world", false, false))
        .hasSize(5);
    assertThat(SmallVocabulary.sentencePiece().tokenizer().encode("ab ab", true, false)).hasSize(3);
  }

  @Test
  void metadataWithoutATokenizerIsRefused() {
    assertRefused(new SmallVocabulary(), "no tokenizer.ggml.model");
    assertRefused(SmallVocabulary.byteLevel().without("tokens"), "no tokenizer.ggml.tokens");
    assertRefused(
        SmallVocabulary.byteLevel().texts("tokens", List.of()), "no tokenizer.ggml.tokens");
  }

  @Test
  void unknownTokenizersAndPreTokenizersAreNamed() {
    assertThatThrownBy(new SmallVocabulary().text("model", "rwkv")::tokenizer)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("rwkv")
        .hasMessageContaining("gpt2, llama, bert and t5");
    assertThatThrownBy(SmallVocabulary.byteLevel().text("pre", "superbpe")::tokenizer)
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("superbpe")
        .hasMessageContaining("smollm");
  }

  @Test
  void missingMergesAreRefused() {
    assertRefused(SmallVocabulary.byteLevel().without("merges"), "no tokenizer.ggml.merges");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "h", "he", "h ", " h", "x y z", "q q", "zz z", "h he", "\n\n\n"})
  void mergesThatNameNoTwoTokensOrMakeNoneAreRefused(String merge) {
    assertRefused(SmallVocabulary.byteLevel().texts("merges", List.of("h e", merge)), "merge 1");
  }

  @Test
  void aMergeOfAnAbsurdLengthIsRefusedInAShortLine() {
    assertRefused(
        SmallVocabulary.byteLevel().texts("merges", List.of("h ".repeat(1 << 20))), "merge 0");
  }

  @Test
  void equalTokensAreRefused() {
    List<String> tokens = new ArrayList<>(SmallVocabulary.byteLevel().tokens());
    tokens.set(260, "he");
    assertRefused(SmallVocabulary.byteLevel().texts("tokens", tokens), "the same text");
  }

  @Test
  void emptyTokensAreNeverFound() {
    List<String> tokens = new ArrayList<>(SmallVocabulary.byteLevel().tokens());
    tokens.set(262, "");
    tokens.set(263, "");
    Tokenizer tokenizer = SmallVocabulary.byteLevel().texts("tokens", tokens).tokenizer();
    assertThat(tokenizer.encode("<s> </s>", false, true)).hasSize(8);
    assertThat(tokenizer.decode(new int[] {262, 'h', 263})).isEqualTo("h");
  }

  @Test
  void tokensWhoseHashesAllCollideAreRefusedQuickly() {
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < 1 << 14; i++) {
      StringBuilder text = new StringBuilder();
      for (int bit = 0; bit < 14; bit++) {
        text.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      tokens.add(text.toString());
    }
    assertRefused(
        new SmallVocabulary()
            .text("model", "llama")
            .texts("tokens", tokens)
            .floats("scores", new float[tokens.size()]),
        "collide");
  }

  @Test
  void arraysOfOtherLengthsThanTheTokensAreRefused() {
    assertRefused(SmallVocabulary.byteLevel().integers("token_type", new long[3]), "264", "3");
    assertRefused(SmallVocabulary.byteLevel().integers("token_type", new long[0]), "264", "0");
    assertRefused(SmallVocabulary.sentencePiece().floats("scores", new float[5]), "266", "5");
    assertRefused(SmallVocabulary.sentencePiece().without("scores"), "266", "0");
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 7, 1L << 32 | 1, Long.MAX_VALUE, Long.MIN_VALUE})
  void unknownTokenTypesAreRefused(long type) {
    long[] types = new long[264];
    types[17] = type;
    assertRefused(SmallVocabulary.byteLevel().integers("token_type", types), "17", "" + type);
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 264, 1L << 32, (1L << 32) + 5, 0xFFFFFFFFL, Long.MAX_VALUE})
  void idsOutsideTheVocabularyAreRefused(long id) {
    for (String key :
        List.of(
            "bos_token_id",
            "eos_token_id",
            "eot_token_id",
            "eom_token_id",
            "unknown_token_id",
            "seperator_token_id",
            "fim_pad_token_id")) {
      assertRefused(SmallVocabulary.byteLevel().integer(key, id), key, "" + id);
    }
  }

  @Test
  void scoresThatAreNoNumbersAreRefused() {
    float[] scores = new float[266];
    scores[9] = Float.NaN;
    assertRefused(SmallVocabulary.sentencePiece().floats("scores", scores), "9");
  }

  @Test
  void valuesOfOtherTypesAreRefused() {
    assertRefused(SmallVocabulary.byteLevel().integer("model", 1), "not a string");
    assertRefused(SmallVocabulary.byteLevel().text("tokens", "x"), "not an array of strings");
    assertRefused(SmallVocabulary.byteLevel().text("merges", "x"), "not an array of strings");
    assertRefused(SmallVocabulary.byteLevel().text("bos_token_id", "x"), "not an integer");
    assertRefused(SmallVocabulary.byteLevel().text("add_bos_token", "x"), "not a bool");
    assertRefused(
        SmallVocabulary.sentencePiece().value("scores", new GgufValue.Texts(List.of())), "float32");
  }

  @Test
  void specialTokensOfAbsurdLengthAreRefused() {
    List<String> tokens = new ArrayList<>(SmallVocabulary.byteLevel().tokens());
    tokens.set(262, "x".repeat(1 << 23));
    assertRefused(SmallVocabulary.byteLevel().texts("tokens", tokens), "impossibly long");
  }
}
