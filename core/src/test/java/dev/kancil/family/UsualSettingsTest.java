package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.testing.ReferenceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What a configuration leaves out is what transformers takes then; what it calls null is nothing.
 */
class UsualSettingsTest {
  @TempDir private Path folder;

  private String config(String model) throws IOException {
    ReferenceModel.unpack(model, folder);
    return Files.readString(folder.resolve(model).resolve("config.json"));
  }

  private static String without(String config, String key) {
    return config.replaceAll("\"" + key + "\": (\\[[^]]*]|\\{[^}]*}|[^,\\n]*),?\\n", "");
  }

  private static String with(String config, String key, String value) {
    return without(config, key).replaceFirst("\\{", "{\"" + key + "\": " + value + ",");
  }

  /** What a family makes of a configuration; where weights are is left out. */
  private String declared(String model, String config) throws IOException {
    Path file = Files.writeString(folder.resolve("changed.json"), config);
    try (HuggingFaceCheckpoint checkpoint =
        HuggingFaceCheckpoint.open(folder.resolve(model), file)) {
      Family family = Families.family(checkpoint);
      Hyperparameters settings =
          new Hyperparameters(checkpoint, family.usualContext(), length -> length);
      return family.transformer(settings).toString().replaceAll("WeightNames@\\w+", "");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "llama, rms_norm_eps, 1e-6, 1e-5",
    "llama, tie_word_embeddings, false, true",
    "mixtral, rope_theta, 1e6, 1e4",
    "mixtral, num_experts_per_tok, 2, 1",
    "mixtral, num_key_value_heads, 8, 2",
    "smollm3, rope_theta, 2e6, 1e4",
    "smollm3, tie_word_embeddings, true, false",
    "qwen2_swa, rope_theta, 1e4, 1e6",
    "qwen3_moe, norm_topk_prob, false, true",
    "qwen3_moe, num_key_value_heads, 4, 2",
    "gemma2, attn_logit_softcapping, 50.0, null",
    "gemma2, final_logit_softcapping, 30.0, null",
    "gemma2, query_pre_attn_scalar, 256, 16",
    "gemma2, head_dim, 256, 16",
    "gemma2, sliding_window, 4096, 8",
    "gemma3_text, rope_local_base_freq, 1e4, 1e6",
    "phi3, rms_norm_eps, 1e-5, 1e-6",
    "olmo2, rms_norm_eps, 1e-5, 1e-6",
    "gpt2, n_positions, 1024, 64",
    "gpt2, scale_attn_by_inverse_layer_idx, false, true",
    "gpt_neox, hidden_act, '\"gelu\"', '\"relu\"'",
    "deepseek_v2, routed_scaling_factor, 1.0, 2.0",
    "deepseek_v2, q_lora_rank, 1536, null",
    "bert, type_vocab_size, 2, 3",
    "bert, layer_norm_eps, 1e-12, 1e-5",
    "roberta_classes, type_vocab_size, 2, 1",
    "roberta_classes, pad_token_id, 1, 0",
    "albert, hidden_act, '\"gelu_new\"', '\"gelu\"'",
    "albert, embedding_size, 128, 24",
    "modernbert, global_rope_theta, 160000.0, 10000.0",
    "modernbert, local_attention, 128, 6",
    "t5, feed_forward_proj, '\"relu\"', '\"gated-gelu\"'",
    "t5, relative_attention_max_distance, 128, 40",
    "bart, scale_embedding, false, true",
    "vit, num_channels, 3, 1",
    "vit_mae, mask_ratio, 0.75, 0.5",
  })
  void aMissingSettingIsTheUsualOne(String model, String key, String usual, String other)
      throws IOException {
    String config = config(model);
    String missing = declared(model, without(config, key));
    assertThat(missing).isEqualTo(declared(model, with(config, key, usual)));
    assertThat(missing).isNotEqualTo(declared(model, with(config, key, other)));
  }

  @Test
  void settingsOfAPartAreThoseOfItsKind() throws IOException {
    String config = config("clip");
    String usual = declared("clip", config.replaceAll("\"hidden_act\": [^\\n]*\\n", ""));
    assertThat(usual)
        .isEqualTo(
            declared("clip", config.replaceAll("(\"hidden_act\": )[^,]*", "$1\"quick_gelu\"")))
        .isNotEqualTo(declared("clip", config.replaceAll("(\"hidden_act\": )[^,]*", "$1\"gelu\"")));
  }

  @Test
  void aCapThatIsNullIsNone() throws IOException {
    String config = with(config("gemma2"), "attn_logit_softcapping", "null");
    assertThat(declared("gemma2", with(config, "final_logit_softcapping", "null")))
        .contains("score=Raw[]", "cap=0.0")
        .doesNotContain("SoftCap");
  }
}
