package dev.kancil.format.huggingface;

import static java.util.Map.entry;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What configurations call a setting, by the name that GGUF gives it: models of different times and
 * makers have different names for the same. The first that is there counts; a setting without an
 * entry is called the same.
 */
final class SettingNames {
  private static final Map<String, List<String>> NAMES =
      Map.ofEntries(
          entry("block_count", List.of("num_hidden_layers", "n_layer", "num_layers", "n_layers")),
          entry("embedding_length", List.of("hidden_size", "n_embd", "d_model", "dim", "n_embed")),
          entry(
              "context_length",
              List.of(
                  "max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "seq_length")),
          entry(
              "attention.head_count",
              List.of("num_attention_heads", "n_head", "num_heads", "n_heads")),
          entry("attention.head_count_kv", List.of("num_key_value_heads", "num_kv_heads")),
          entry("attention.relative_buckets_count", List.of("relative_attention_num_buckets")),
          entry("decoder_block_count", List.of("num_decoder_layers")),
          entry("attention.key_length", List.of("head_dim", "d_kv")),
          entry("attention.value_length", List.of("v_head_dim", "head_dim", "d_kv")),
          entry(
              "feed_forward_length",
              List.of(
                  "intermediate_size",
                  "n_inner",
                  "ffn_dim",
                  "hidden_dim",
                  "d_ff",
                  "ffn_hidden_size")),
          entry("attention.layer_norm_rms_epsilon", List.of("rms_norm_eps", "layer_norm_epsilon")),
          entry(
              "attention.layer_norm_epsilon",
              List.of(
                  "layer_norm_eps",
                  "layer_norm_epsilon",
                  "layernorm_epsilon",
                  "norm_eps",
                  "norm_epsilon")),
          entry("attention.scale", List.of("attention_multiplier")),
          entry("attention.clamp_kqv", List.of("clip_qkv")),
          entry("embedding_scale", List.of("embedding_multiplier")),
          entry("residual_scale", List.of("residual_multiplier")),
          entry("logit_scale", List.of("logit_scale", "logits_scaling")),
          entry("attention.sliding_window", List.of("sliding_window")),
          entry("rope.freq_base", List.of("rope_theta", "rotary_emb_base", "global_rope_theta")),
          entry("rope.freq_base_swa", List.of("rope_local_base_freq", "local_rope_theta")),
          entry("rope.dimension_count", List.of("rotary_dim")),
          entry("rope.dimension_share", List.of("partial_rotary_factor", "rotary_pct")),
          entry("rope.scaling.type", List.of("rope_scaling.rope_type", "rope_scaling.type")),
          entry("rope.scaling.factor", List.of("rope_scaling.factor")),
          entry("rope.scaling.attn_factor", List.of("rope_scaling.attention_factor")),
          entry(
              "rope.scaling.original_context_length",
              List.of(
                  "rope_scaling.original_max_position_embeddings",
                  "original_max_position_embeddings")),
          entry("rope.scaling.yarn_beta_fast", List.of("rope_scaling.beta_fast")),
          entry("rope.scaling.yarn_beta_slow", List.of("rope_scaling.beta_slow")),
          entry("expert_count", List.of("num_local_experts", "num_experts", "n_routed_experts")),
          entry("leading_dense_block_count", List.of("first_k_dense_replace")),
          entry("attention.q_lora_rank", List.of("q_lora_rank")),
          entry("attention.kv_lora_rank", List.of("kv_lora_rank")),
          entry("nextn_predict_layers", List.of("num_nextn_predict_layers")),
          entry("expert_shared_count", List.of("n_shared_experts")),
          entry("expert_group_count", List.of("n_group")),
          entry("expert_group_used_count", List.of("topk_group")),
          entry("expert_used_count", List.of("num_experts_per_tok", "moe_top_k")),
          entry("expert_feed_forward_length", List.of("moe_intermediate_size")),
          entry(
              "expert_shared_feed_forward_length",
              List.of("shared_expert_intermediate_size", "shared_intermediate_size")),
          entry("expert_weights_norm", List.of("norm_topk_prob")),
          entry("expert_weights_scale", List.of("routed_scaling_factor")));

  private SettingNames() {}

  /** The name that counts in this configuration; one that is not there if none is. */
  static String of(HuggingFaceConfig config, String key) {
    List<String> names = NAMES.getOrDefault(key, List.of(key));
    return names.stream().filter(config::has).findFirst().orElse(names.getFirst());
  }

  /** All names of what a configuration calls so, this one among them. */
  static Stream<String> alike(String name) {
    return Stream.concat(
        Stream.of(name),
        NAMES.values().stream().filter(names -> names.contains(name)).flatMap(List::stream));
  }
}
