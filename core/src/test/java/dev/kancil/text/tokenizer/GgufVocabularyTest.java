package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.UnsupportedException;
import dev.kancil.format.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufVocabularyTest {
  private static final String BYTE_LEVEL =
      """
      {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}
      """;

  @TempDir private Path folder;

  /**
   * A byte-level vocabulary of all bytes and a few pairs, two of which span words of some patterns.
   */
  private void byteLevel(String pattern) throws IOException {
    StringBuilder vocabulary = new StringBuilder("\"<s>\": 0, \"</s>\": 1");
    int id = 2;
    for (int value = 0; value < 256; value++) {
      boolean isShown = (value >= '!' && value <= '~') || (value >= 0xa1 && value != 0xad);
      int letter = isShown ? value : 256 + hidden(value);
      vocabulary.append(", \"\\u%04x\": %d".formatted(letter, id++));
    }
    vocabulary.append(
        ", \"12\": 258, \"123\": 259, \"ll\": 260, \"'l\": 261, \"[i\": 262, \"o,\": 263");
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"added_tokens": [{"id": 0, "content": "<s>", "special": true},
          {"id": 1, "content": "</s>", "special": true}],
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Split",
           "pattern": {"Regex": "%s"}, "behavior": "Isolated", "invert": false}, %s]},
         "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "vocab": {%s}, "merges": ["1 2", "12 3", ["l", "l"], "' l", "[ i", "o ,"]}}
        """
            .formatted(pattern.replace("\\", "\\\\"), BYTE_LEVEL.strip(), vocabulary));
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token": "<s>", "eos_token": "</s>", "chat_template": "{{ messages }}"}
        """);
  }

  /** How many bytes below this one have no letter of their own. */
  private static int hidden(int value) {
    int hidden = 0;
    for (int i = 0; i < value; i++) {
      hidden += (i >= '!' && i <= '~') || (i >= 0xa1 && i != 0xad) ? 0 : 1;
    }
    return hidden;
  }

  @Test
  void preTokenizerIsFoundByWhatItDoes() throws IOException {
    byteLevel(KnownPatterns.QWEN2);
    assertThat(written(264).string("tokenizer.ggml.pre")).contains("qwen2");
    byteLevel(KnownPatterns.GPT2);
    assertThat(written(264).string("tokenizer.ggml.pre")).contains("gpt-2");
  }

  @Test
  void writtenVocabularyIsThatOfTheFolder() throws IOException {
    byteLevel(KnownPatterns.QWEN2);
    GgufMetadata metadata = written(266);
    assertThat(metadata.strings("tokenizer.ggml.tokens"))
        .hasSize(266)
        .startsWith("<s>", "</s>")
        .endsWith("o,", "[PAD264]", "[PAD265]");
    assertThat(metadata.strings("tokenizer.ggml.merges"))
        .containsExactly("1 2", "12 3", "l l", "' l", "[ i", "o ,");
    assertThat(metadata.integers("tokenizer.ggml.token_type"))
        .startsWith(3, 3, 1)
        .endsWith(1, 5, 5);
    assertThat(metadata.integer("tokenizer.ggml.bos_token_id")).contains(0L);
    assertThat(metadata.integer("tokenizer.ggml.eos_token_id")).contains(1L);
    assertThat(metadata.bool("tokenizer.ggml.add_bos_token")).contains(false);
    assertThat(metadata.string("tokenizer.chat_template")).contains("{{ messages }}");
  }

  @Test
  void whatNoNameOfGgufDoesIsAnErrorUnlessItIsNamed() throws IOException {
    byteLevel("[^1]+|1");
    assertThatThrownBy(() -> written(264))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("--pre");
    assertThat(GgufVocabulary.of(folder, 264, Optional.of("qwen2"))).isNotEmpty();
    assertThatThrownBy(() -> written(263))
        .hasMessageContaining("264 tokens, and the model knows 263");
  }

  private GgufMetadata written(long rows) {
    return new GgufMetadata("test", GgufVocabulary.of(folder, rows, Optional.empty()));
  }
}
