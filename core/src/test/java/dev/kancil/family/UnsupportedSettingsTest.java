package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.UnsupportedException;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.LayoutPair;
import dev.kancil.testing.LayoutPairs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnsupportedSettingsTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "bloom, 'apply_residual_connection_post_layernorm', true, is true",
    "bert, 'position_embedding_type', '\"relative_key\"', position_embedding_type is relative_key",
    "bloom, 'slow_but_exact', 'true, \"pretraining_tp\": 2', pretraining_tp more than 1",
    "gemma3_text, 'use_bidirectional_attention', true, is true",
    "gemma3_text, 'rope_local_scaling', '{\"rope_type\": \"linear\"}', rope_type is linear",
    "modernbert, 'rope_scaling', '{\"rope_type\": \"yarn\"}', rope_type is yarn",
    "gpt_oss, 'swiglu_alpha', 1.5, 'is 1.5, not 1.702'",
  })
  void settingsWithoutCodeAreRefusedByName(String model, String key, String value, String message)
      throws IOException {
    new LayoutPair(LayoutPairs.OLMO).writeFolder(folder);
    Files.writeString(
        folder.resolve("config.json"),
        """
        {"model_type": "%s", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 48, "max_position_embeddings": 256, "num_experts_per_tok": 2,
        "rms_norm_eps": 1e-5, "%s": %s}
        """
            .formatted(model, key, value));
    try (Checkpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      assertThatThrownBy(() -> Families.load(checkpoint, DataType.F32, DataType.F32))
          .isInstanceOf(UnsupportedException.class)
          .hasMessageContaining(key)
          .hasMessageContaining(message)
          .hasMessageContaining("not supported");
    }
  }
}
