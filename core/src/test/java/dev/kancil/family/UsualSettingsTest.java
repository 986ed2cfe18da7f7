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
    return without(config, key).replaceFirst("\\{", "{\"" + key + "\": " + value + ",\n");
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
    "arcee, hidden_act, '\"relu2\"', '\"relu\"'",
    "ernie4_5, rope_theta, 5e5, 1e4",
    "exaone4, sliding_window, 4096, 6",
    "glm4_moe, partial_rotary_factor, 0.5, 0.25",
    "glm4_moe, norm_topk_prob, true, false",
    "nemotron, partial_rotary_factor, 0.5, 1.0",
    "seed_oss, attention_bias, true, false",
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
    "modernbert, local_rope_theta, 10000.0, null",
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

  private static final String YARN =
      "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0, \"mscale\": 0.7%s}";

  /** Settings that transformers does not ask for, or takes for others. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "llama | sliding_window | 4 | null",
        "llama | hidden_act | \"gelu_python\" | \"gelu\"",
        "llama | hidden_act | \"gelu_accurate\" | \"gelu_new\"",
        "mixtral | layer_types | [\"full_attention\", \"full_attention\", \"full_attention\"] | null",
        "qwen2_swa | max_window_layers | 0 | -1",
        "qwen3_moe | max_window_layers | 3 | 0",
        "gemma3_text | attn_logit_softcapping | 5.0 | null",
        "llama | tie_word_embeddings | null | false",
        "gemma3_text | hidden_act | \"relu\" | \"silu\"",
      })
  void someSettingsAreTheSame(String model, String key, String one, String other)
      throws IOException {
    String config = with(with(config(model), "use_sliding_window", "true"), "sliding_window", "6");
    assertThat(declared(model, with(config, key, one)))
        .isEqualTo(declared(model, with(config, key, other)));
  }

  @Test
  void aFactorOfYarnThatIsZeroIsNone() throws IOException {
    String config = without(config("llama"), "rope_scaling");
    String none = declared("llama", config.replaceFirst("\\{", "{" + YARN.formatted("") + ","));
    String zero = ", \"mscale_all_dim\": 0.0, \"beta_fast\": 0";
    assertThat(declared("llama", config.replaceFirst("\\{", "{" + YARN.formatted(zero) + ",")))
        .isEqualTo(none);
    String some = ", \"mscale_all_dim\": 0.3";
    assertThat(declared("llama", config.replaceFirst("\\{", "{" + YARN.formatted(some) + ",")))
        .isNotEqualTo(none);
  }

  @Test
  void layersOfSmolLm3SayThemselvesWhetherTheySeeAWindow() throws IOException {
    String window = with(config("smollm3"), "sliding_window", "6");
    String config = without(with(window, "use_sliding_window", "false"), "layer_types");
    String types =
        "[\"sliding_attention\", \"full_attention\", \"full_attention\", \"full_attention\"]";
    assertThat(declared("smollm3", config)).doesNotContain("window=6");
    assertThat(declared("smollm3", with(config, "layer_types", types)))
        .containsOnlyOnce("window=6");
    // Those alone that turn nothing: [1, 1, 1, 0].
    assertThat(declared("smollm3", with(config, "use_sliding_window", "true")))
        .containsOnlyOnce("window=6");
  }

  @Test
  void layersOfSmolLm3MayTurnByAnInterval() throws IOException {
    String config = with(config("smollm3"), "no_rope_layer_interval", "2");
    assertThat(declared("smollm3", with(config, "no_rope_layers", "null")))
        .isEqualTo(declared("smollm3", with(config, "no_rope_layers", "[1, 0, 1, 0]")))
        .isNotEqualTo(declared("smollm3", config));
  }

  @Test
  void layersThatSeeAWindowMayBeTheOnlyOnesThatTurn() throws IOException {
    String types = "[" + "\"sliding_attention\", ".repeat(3) + "\"sliding_attention\"]";
    String config = with(config("gemma3_text"), "layer_types", types);
    String later =
        with(
            without(without(config, "rope_scaling"), "rope_local_base_freq"),
            "rope_parameters",
            "{\"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": 77.0}}");
    assertThat(declared("gemma3_text", later)).contains("base=77.0");
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
