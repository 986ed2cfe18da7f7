package dev.kancil;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.testing.ReferenceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models that are folders. */
class ModelFilesTest {
  private static final ModelOptions OPTIONS =
      ModelOptions.builder().device("reference").contextLength(64).build();

  @TempDir private Path temporary;
  private Path folder = Path.of("");

  @BeforeEach
  void unpack() {
    ReferenceModel.unpack("llama", temporary);
    folder = temporary.resolve("llama");
  }

  /** Letters, and as many other tokens as the model knows. */
  private void writeTokenizer() throws IOException {
    String vocabulary =
        IntStream.range(0, 320)
            .mapToObj(id -> "\"%s\": %d".formatted(id < 26 ? (char) ('a' + id) : "t" + id, id))
            .collect(Collectors.joining(", "));
    Files.writeString(
        folder.resolve("tokenizer.json"),
        """
        {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
         "normalizer": null, "post_processor": null,
         "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
         "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "vocab": {%s}, "merges": []}}"""
            .formatted(vocabulary));
  }

  @Test
  void aFolderIsAModelWithText() throws IOException {
    writeTokenizer();
    try (Model model = Model.open(folder, OPTIONS)) {
      assertThat(model.description().architecture()).isEqualTo("llama");
      assertThat(model.description().vocabularySize()).isEqualTo(320);
      assertThat(model.tokenizer().encode("abc", true, true)).containsExactly(0, 1, 2);
      GenerationOptions greedy =
          GenerationOptions.builder().greedy().maxTokens(6).stopAtEndOfTurn(false).build();
      Completion completion = model.complete("abc", greedy);
      assertThat(completion.tokens()).hasSize(6);
      assertThat(completion.promptTokens()).containsExactly(0, 1, 2);
    }
  }

  @Test
  void aFolderWithoutTokenizerIsRefused() {
    assertThatThrownBy(() -> Model.open(folder, OPTIONS))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("there is no tokenizer.json");
  }

  @Test
  void whatIsMissingIsNamed() throws IOException {
    Files.delete(folder.resolve("model.safetensors"));
    assertThatThrownBy(() -> ModelFiles.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("there is neither model.safetensors nor")
        .message()
        .doesNotContain("\n");
    Files.delete(folder.resolve("config.json"));
    assertThatThrownBy(() -> ModelFiles.open(folder))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("config.json")
        .message()
        .doesNotContain("\n");
  }

  @Test
  void anArchitectureThatIsNotKnownIsNamed() throws IOException {
    Path config = folder.resolve("config.json");
    String text = Files.readString(config);
    Files.writeString(
        config, text.replace("\"model_type\": \"llama\"", "\"model_type\": \"lama\""));
    writeTokenizer();
    assertThatThrownBy(() -> Model.open(folder, OPTIONS))
        .isInstanceOf(UnsupportedException.class)
        .hasMessageContaining("architecture lama is not supported");
  }
}
