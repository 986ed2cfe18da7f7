package dev.kancil.format.synthetic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.format.gguf.GgufValue;
import dev.kancil.format.gguf.GgufValue.IntType;
import dev.kancil.text.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SyntheticVocabularyTest {
  private static final String PREFIX = "tokenizer.ggml.";

  private static GgufMetadata sized(SyntheticVocabulary vocabulary, int size) {
    return new GgufMetadata("test", vocabulary.sized(size));
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 152_064})
  void syllablesSpellAnyText(int size) {
    GgufMetadata metadata = sized(SyntheticVocabulary.GENERATED, size);
    assertThat(metadata.strings(PREFIX + "tokens")).hasSize(size).doesNotHaveDuplicates();
    Tokenizer tokenizer = Tokenizer.of(metadata);
    assertThat(tokenizer.vocabularySize()).isEqualTo(size);
    String text = "babe Zebra, 7 \u00e9\n";
    int[] ids = tokenizer.encode(text, false, false);
    assertThat(tokenizer.decode(ids)).isEqualTo(text);
  }

  /** A byte-level vocabulary of six tokens. */
  private static SyntheticVocabulary pairs() {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    values.put("general.architecture", new GgufValue.Text("llama"));
    values.put(PREFIX + "model", new GgufValue.Text("gpt2"));
    values.put(
        PREFIX + "tokens", new GgufValue.Texts(List.of("a", "b", "c", "ab", "abc", "<end>")));
    values.put(PREFIX + "merges", new GgufValue.Texts(List.of("a b", "ab c")));
    values.put(PREFIX + "token_type", new GgufValue.Ints("int32", new long[] {1, 1, 1, 1, 1, 3}));
    values.put(PREFIX + "eos_token_id", new GgufValue.Int(IntType.UINT32, 5));
    values.put("tokenizer.chat_template", new GgufValue.Text("x"));
    return SyntheticVocabulary.of(new GgufMetadata("test", values));
  }

  @Test
  void anotherModelsTokensAreFilledUp() {
    GgufMetadata metadata = sized(pairs(), 8);
    assertThat(metadata.strings(PREFIX + "tokens"))
        .containsExactly("a", "b", "c", "ab", "abc", "<end>", "[PAD6]", "[PAD7]");
    assertThat(metadata.integers(PREFIX + "token_type")).containsExactly(1, 1, 1, 1, 1, 3, 5, 5);
    assertThat(metadata.strings(PREFIX + "merges")).containsExactly("a b", "ab c");
    assertThat(metadata.integer(PREFIX + "eos_token_id")).hasValue(5L);
    assertThat(metadata.string("tokenizer.chat_template")).hasValue("x");
    assertThat(metadata.contains("general.architecture")).isFalse();
  }

  @Test
  void whatNamesTokensThatAreCutOffGoesWithThem() {
    GgufMetadata metadata = sized(pairs(), 4);
    assertThat(metadata.strings(PREFIX + "tokens")).containsExactly("a", "b", "c", "ab");
    assertThat(metadata.integers(PREFIX + "token_type")).containsExactly(1, 1, 1, 1);
    assertThat(metadata.strings(PREFIX + "merges")).containsExactly("a b");
    assertThat(metadata.contains(PREFIX + "eos_token_id")).isFalse();
  }

  @Test
  void aFileWithoutTokensIsNoVocabulary() {
    assertThatThrownBy(() -> SyntheticVocabulary.of(new GgufMetadata("a.gguf", Map.of())))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("a.gguf: there is no vocabulary");
  }
}
