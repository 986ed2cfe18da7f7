package dev.kancil.testing;

/**
 * Models of a few families, as Hugging Face transformers and llama.cpp's converter lay them out: a
 * configuration and the same as metadata, and a line for each tensor with its name in both, its
 * shape, and what the converter does to it. Both names have {@code #} for the layer; the first has
 * {@code *} where several become one.
 *
 * <p>Sizes are those of all: 32 columns, 4 heads of 8 columns on 2 KV heads, 48 columns inside, 2
 * blocks, 64 tokens.
 */
public enum LayoutPairs {
  /** With the biases that few have. */
  LLAMA(
      "llama",
      """
      "attention_bias": true, "mlp_bias": true, "rms_norm_eps": 1e-5
      """,
      """
      llama
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_rms_epsilon 1e-5
      rope.dimension_count 8
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32 permuted:4
      model.layers.#.self_attn.q_proj.bias blk.#.attn_q.bias 32 permuted:4
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32 permuted:2
      model.layers.#.self_attn.k_proj.bias blk.#.attn_k.bias 16 permuted:2
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.v_proj.bias blk.#.attn_v.bias 16
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.self_attn.o_proj.bias blk.#.attn_output.bias 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.mlp.gate_proj.weight blk.#.ffn_gate.weight 48 32
      model.layers.#.mlp.gate_proj.bias blk.#.ffn_gate.bias 48
      model.layers.#.mlp.up_proj.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.up_proj.bias blk.#.ffn_up.bias 48
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.layers.#.mlp.down_proj.bias blk.#.ffn_down.bias 32
      model.norm.weight output_norm.weight 32
      lm_head.weight output.weight 64 32
      """),
  PHI(
      "phi",
      """
      "partial_rotary_factor": 0.5, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5,
      "num_key_value_heads": 4, "intermediate_size": 128
      """,
      """
      phi2
      context_length 256
      embedding_length 32
      feed_forward_length 128
      block_count 2
      attention.head_count 4
      attention.head_count_kv 4
      attention.layer_norm_epsilon 1e-5
      rope.dimension_count 4
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.input_layernorm.bias blk.#.attn_norm.bias 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.q_proj.bias blk.#.attn_q.bias 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 32 32
      model.layers.#.self_attn.k_proj.bias blk.#.attn_k.bias 32
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 32 32
      model.layers.#.self_attn.v_proj.bias blk.#.attn_v.bias 32
      model.layers.#.self_attn.dense.weight blk.#.attn_output.weight 32 32
      model.layers.#.self_attn.dense.bias blk.#.attn_output.bias 32
      model.layers.#.mlp.fc1.weight blk.#.ffn_up.weight 128 32
      model.layers.#.mlp.fc1.bias blk.#.ffn_up.bias 128
      model.layers.#.mlp.fc2.weight blk.#.ffn_down.weight 32 128
      model.layers.#.mlp.fc2.bias blk.#.ffn_down.bias 32
      model.final_layernorm.weight output_norm.weight 32
      model.final_layernorm.bias output_norm.bias 32
      lm_head.weight output.weight 64 32
      lm_head.bias output.bias 64
      """),
  STARCODER2(
      "starcoder2",
      """
      "use_bias": true, "hidden_act": "gelu_pytorch_tanh", "norm_epsilon": 1e-5,
      "rope_theta": 100000, "sliding_window": null
      """,
      """
      starcoder2
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_epsilon 1e-5
      rope.freq_base 1e5
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.input_layernorm.bias blk.#.attn_norm.bias 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.q_proj.bias blk.#.attn_q.bias 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.k_proj.bias blk.#.attn_k.bias 16
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.v_proj.bias blk.#.attn_v.bias 16
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.self_attn.o_proj.bias blk.#.attn_output.bias 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.post_attention_layernorm.bias blk.#.ffn_norm.bias 32
      model.layers.#.mlp.c_fc.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.c_fc.bias blk.#.ffn_up.bias 48
      model.layers.#.mlp.c_proj.weight blk.#.ffn_down.weight 32 48
      model.layers.#.mlp.c_proj.bias blk.#.ffn_down.bias 32
      model.norm.weight output_norm.weight 32
      model.norm.bias output_norm.bias 32
      """),
  /** One key and value for all heads, whatever {@code num_kv_heads} says. */
  FALCON_7B(
      "falcon",
      """
      "multi_query": true, "parallel_attn": true, "bias": false, "alibi": false,
      "new_decoder_architecture": false, "layer_norm_epsilon": 1e-5, "num_kv_heads": 4
      """,
      """
      falcon
      context_length 2048
      tensor_data_layout jploski
      embedding_length 32
      feed_forward_length 128
      block_count 2
      attention.head_count 4
      attention.head_count_kv 1
      attention.layer_norm_epsilon 1e-5
      """,
      """
      transformer.word_embeddings.weight token_embd.weight 64 32
      transformer.h.#.input_layernorm.weight blk.#.attn_norm.weight 32
      transformer.h.#.input_layernorm.bias blk.#.attn_norm.bias 32
      transformer.h.#.self_attention.query_key_value.weight blk.#.attn_qkv.weight 48 32
      transformer.h.#.self_attention.dense.weight blk.#.attn_output.weight 32 32
      transformer.h.#.mlp.dense_h_to_4h.weight blk.#.ffn_up.weight 128 32
      transformer.h.#.mlp.dense_4h_to_h.weight blk.#.ffn_down.weight 32 128
      transformer.ln_f.weight output_norm.weight 32
      transformer.ln_f.bias output_norm.bias 32
      """),
  FALCON_40B(
      "falcon",
      """
      "bias": false, "alibi": false, "new_decoder_architecture": true, "num_kv_heads": 2,
      "layer_norm_epsilon": 1e-5, "tie_word_embeddings": false
      """,
      """
      falcon
      context_length 2048
      tensor_data_layout jploski
      embedding_length 32
      feed_forward_length 128
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_epsilon 1e-5
      """,
      """
      transformer.word_embeddings.weight token_embd.weight 64 32
      transformer.h.#.ln_attn.weight blk.#.attn_norm_2.weight 32
      transformer.h.#.ln_attn.bias blk.#.attn_norm_2.bias 32
      transformer.h.#.ln_mlp.weight blk.#.attn_norm.weight 32
      transformer.h.#.ln_mlp.bias blk.#.attn_norm.bias 32
      transformer.h.#.self_attention.query_key_value.weight blk.#.attn_qkv.weight 64 32 ungrouped
      transformer.h.#.self_attention.dense.weight blk.#.attn_output.weight 32 32
      transformer.h.#.mlp.dense_h_to_4h.weight blk.#.ffn_up.weight 128 32
      transformer.h.#.mlp.dense_4h_to_h.weight blk.#.ffn_down.weight 32 128
      transformer.ln_f.weight output_norm.weight 32
      transformer.ln_f.bias output_norm.bias 32
      lm_head.weight output.weight 64 32
      """),
  STABLELM(
      "stablelm",
      """
      "partial_rotary_factor": 0.5, "use_qkv_bias": true, "use_parallel_residual": false,
      "layer_norm_eps": 1e-5
      """,
      """
      stablelm
      context_length 256
      embedding_length 32
      block_count 2
      feed_forward_length 48
      rope.dimension_count 4
      attention.head_count 4
      attention.head_count_kv 2
      use_parallel_residual false
      attention.layer_norm_epsilon 1e-5
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.input_layernorm.bias blk.#.attn_norm.bias 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.q_proj.bias blk.#.attn_q.bias 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.k_proj.bias blk.#.attn_k.bias 16
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.v_proj.bias blk.#.attn_v.bias 16
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.post_attention_layernorm.bias blk.#.ffn_norm.bias 32
      model.layers.#.mlp.gate_proj.weight blk.#.ffn_gate.weight 48 32
      model.layers.#.mlp.up_proj.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.norm.weight output_norm.weight 32
      model.norm.bias output_norm.bias 32
      lm_head.weight output.weight 64 32
      """),
  /** One norm for both parts of a block, and norms of each head. */
  STABLELM_12B(
      "stablelm",
      """
      "partial_rotary_factor": 0.25, "use_qkv_bias": false, "use_parallel_residual": true,
      "layer_norm_eps": 1e-5, "qk_layernorm": true
      """,
      """
      stablelm
      context_length 256
      embedding_length 32
      block_count 2
      feed_forward_length 48
      rope.dimension_count 2
      attention.head_count 4
      attention.head_count_kv 2
      use_parallel_residual true
      attention.layer_norm_epsilon 1e-5
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.input_layernorm.bias blk.#.attn_norm.bias 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.q_layernorm.norms.*.weight blk.#.attn_q_norm.weight 8 stacked:4
      model.layers.#.self_attn.k_layernorm.norms.*.weight blk.#.attn_k_norm.weight 8 stacked:2
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.mlp.gate_proj.weight blk.#.ffn_gate.weight 48 32
      model.layers.#.mlp.up_proj.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.norm.weight output_norm.weight 32
      model.norm.bias output_norm.bias 32
      lm_head.weight output.weight 64 32
      """),
  BLOOM(
      "bloom",
      """
      "n_layer": 2, "n_head": 4, "layer_norm_epsilon": 1e-5, "num_key_value_heads": 4,
      "intermediate_size": 128
      """,
      """
      bloom
      context_length 2048
      embedding_length 32
      feed_forward_length 128
      block_count 2
      attention.head_count 4
      attention.head_count_kv 4
      attention.layer_norm_epsilon 1e-5
      """,
      """
      word_embeddings.weight token_embd.weight 64 32
      word_embeddings_layernorm.weight token_embd_norm.weight 32
      word_embeddings_layernorm.bias token_embd_norm.bias 32
      h.#.input_layernorm.weight blk.#.attn_norm.weight 32
      h.#.input_layernorm.bias blk.#.attn_norm.bias 32
      h.#.self_attention.query_key_value.weight blk.#.attn_qkv.weight 96 32 sorted
      h.#.self_attention.query_key_value.bias blk.#.attn_qkv.bias 96 sorted
      h.#.self_attention.dense.weight blk.#.attn_output.weight 32 32
      h.#.self_attention.dense.bias blk.#.attn_output.bias 32
      h.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      h.#.post_attention_layernorm.bias blk.#.ffn_norm.bias 32
      h.#.mlp.dense_h_to_4h.weight blk.#.ffn_up.weight 128 32
      h.#.mlp.dense_h_to_4h.bias blk.#.ffn_up.bias 128
      h.#.mlp.dense_4h_to_h.weight blk.#.ffn_down.weight 32 128
      h.#.mlp.dense_4h_to_h.bias blk.#.ffn_down.bias 32
      ln_f.weight output_norm.weight 32
      ln_f.bias output_norm.bias 32
      """),
  OLMO(
      "olmo",
      """
      "attention_bias": false, "clip_qkv": null, "tie_word_embeddings": true
      """,
      """
      olmo
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_epsilon 1e-5
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32 permuted:4
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32 permuted:2
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.mlp.gate_proj.weight blk.#.ffn_gate.weight 48 32
      model.layers.#.mlp.up_proj.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      """),
  OLMOE(
      "olmoe",
      """
      "num_experts": 4, "num_experts_per_tok": 2, "norm_topk_prob": false, "rms_norm_eps": 1e-5
      """,
      """
      olmoe
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_rms_epsilon 1e-5
      expert_count 4
      expert_used_count 2
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.q_norm.weight blk.#.attn_q_norm.weight 32
      model.layers.#.self_attn.k_norm.weight blk.#.attn_k_norm.weight 16
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.mlp.gate.weight blk.#.ffn_gate_inp.weight 4 32
      model.layers.#.mlp.experts.*.gate_proj.weight blk.#.ffn_gate_exps.weight 48 32 stacked:4
      model.layers.#.mlp.experts.*.up_proj.weight blk.#.ffn_up_exps.weight 48 32 stacked:4
      model.layers.#.mlp.experts.*.down_proj.weight blk.#.ffn_down_exps.weight 32 48 stacked:4
      model.norm.weight output_norm.weight 32
      lm_head.weight output.weight 64 32
      """),
  COMMAND_R(
      "cohere",
      """
      "use_qk_norm": true, "logit_scale": 0.5, "layer_norm_eps": 1e-5
      """,
      """
      command-r
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_epsilon 1e-5
      logit_scale 0.5
      rope.scaling.type none
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.q_norm.weight blk.#.attn_q_norm.weight 4 8
      model.layers.#.self_attn.k_norm.weight blk.#.attn_k_norm.weight 2 8
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.mlp.gate_proj.weight blk.#.ffn_gate.weight 48 32
      model.layers.#.mlp.up_proj.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.norm.weight output_norm.weight 32
      """),
  COHERE2(
      "cohere2",
      """
      "logit_scale": 0.5, "layer_norm_eps": 1e-5, "sliding_window": 4, "sliding_window_pattern": 2
      """,
      """
      cohere2
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_epsilon 1e-5
      attention.sliding_window 4
      attention.sliding_window_pattern 2
      logit_scale 0.5
      rope.dimension_count 8
      rope.scaling.type none
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.mlp.gate_proj.weight blk.#.ffn_gate.weight 48 32
      model.layers.#.mlp.up_proj.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.norm.weight output_norm.weight 32
      """),
  GRANITE(
      "granite",
      """
      "embedding_multiplier": 3.0, "attention_multiplier": 0.2, "residual_multiplier": 0.4,
      "logits_scaling": 2.5, "attention_bias": true, "mlp_bias": true, "rms_norm_eps": 1e-5
      """,
      """
      granite
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_rms_epsilon 1e-5
      rope.dimension_count 8
      attention.scale 0.2
      embedding_scale 3.0
      residual_scale 0.4
      logit_scale 2.5
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32 permuted:4
      model.layers.#.self_attn.q_proj.bias blk.#.attn_q.bias 32 permuted:4
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32 permuted:2
      model.layers.#.self_attn.k_proj.bias blk.#.attn_k.bias 16 permuted:2
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.v_proj.bias blk.#.attn_v.bias 16
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.self_attn.o_proj.bias blk.#.attn_output.bias 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.mlp.gate_proj.weight blk.#.ffn_gate.weight 48 32
      model.layers.#.mlp.gate_proj.bias blk.#.ffn_gate.bias 48
      model.layers.#.mlp.up_proj.weight blk.#.ffn_up.weight 48 32
      model.layers.#.mlp.up_proj.bias blk.#.ffn_up.bias 48
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.layers.#.mlp.down_proj.bias blk.#.ffn_down.bias 32
      model.norm.weight output_norm.weight 32
      lm_head.weight output.weight 64 32
      """),
  GLM(
      "glm",
      """
      "partial_rotary_factor": 0.5, "attention_bias": true, "rms_norm_eps": 1e-5
      """,
      """
      chatglm
      context_length 32
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_rms_epsilon 1e-5
      rope.dimension_count 4
      rope.freq_base 10000
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.q_proj.bias blk.#.attn_q.bias 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.k_proj.bias blk.#.attn_k.bias 16
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.v_proj.bias blk.#.attn_v.bias 16
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.mlp.gate_up_proj.weight blk.#.ffn_up.weight 96 32
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.norm.weight output_norm.weight 32
      lm_head.weight output.weight 64 32
      """),
  GLM4(
      "glm4",
      """
      "partial_rotary_factor": 0.5, "attention_bias": false, "rms_norm_eps": 1e-5
      """,
      """
      glm4
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_rms_epsilon 1e-5
      rope.dimension_count 4
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.post_self_attn_layernorm.weight blk.#.post_attention_norm.weight 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.post_mlp_layernorm.weight blk.#.post_ffw_norm.weight 32
      model.layers.#.mlp.gate_up_proj.weight blk.#.ffn_up.weight 96 32
      model.layers.#.mlp.down_proj.weight blk.#.ffn_down.weight 32 48
      model.norm.weight output_norm.weight 32
      lm_head.weight output.weight 64 32
      """),
  QWEN2_MOE(
      "qwen2_moe",
      """
      "num_experts": 4, "num_experts_per_tok": 2, "norm_topk_prob": false, "rms_norm_eps": 1e-5,
      "moe_intermediate_size": 24, "shared_expert_intermediate_size": 40, "qkv_bias": true,
      "use_sliding_window": false, "rope_theta": 10000.0
      """,
      """
      qwen2moe
      context_length 256
      embedding_length 32
      feed_forward_length 48
      block_count 2
      attention.head_count 4
      attention.head_count_kv 2
      attention.layer_norm_rms_epsilon 1e-5
      rope.freq_base 10000.0
      expert_count 4
      expert_used_count 2
      expert_feed_forward_length 24
      expert_shared_feed_forward_length 40
      """,
      """
      model.embed_tokens.weight token_embd.weight 64 32
      model.layers.#.input_layernorm.weight blk.#.attn_norm.weight 32
      model.layers.#.self_attn.q_proj.weight blk.#.attn_q.weight 32 32
      model.layers.#.self_attn.q_proj.bias blk.#.attn_q.bias 32
      model.layers.#.self_attn.k_proj.weight blk.#.attn_k.weight 16 32
      model.layers.#.self_attn.k_proj.bias blk.#.attn_k.bias 16
      model.layers.#.self_attn.v_proj.weight blk.#.attn_v.weight 16 32
      model.layers.#.self_attn.v_proj.bias blk.#.attn_v.bias 16
      model.layers.#.self_attn.o_proj.weight blk.#.attn_output.weight 32 32
      model.layers.#.post_attention_layernorm.weight blk.#.ffn_norm.weight 32
      model.layers.#.mlp.gate.weight blk.#.ffn_gate_inp.weight 4 32
      model.layers.#.mlp.experts.*.gate_proj.weight blk.#.ffn_gate_exps.weight 24 32 stacked:4
      model.layers.#.mlp.experts.*.up_proj.weight blk.#.ffn_up_exps.weight 24 32 stacked:4
      model.layers.#.mlp.experts.*.down_proj.weight blk.#.ffn_down_exps.weight 32 24 stacked:4
      model.layers.#.mlp.shared_expert.gate_proj.weight blk.#.ffn_gate_shexp.weight 40 32
      model.layers.#.mlp.shared_expert.up_proj.weight blk.#.ffn_up_shexp.weight 40 32
      model.layers.#.mlp.shared_expert.down_proj.weight blk.#.ffn_down_shexp.weight 32 40
      model.layers.#.mlp.shared_expert_gate.weight blk.#.ffn_gate_inp_shexp.weight 1 32 vector
      model.norm.weight output_norm.weight 32
      lm_head.weight output.weight 64 32
      """);

  private final String modelType;
  private final String config;
  private final String settings;
  private final String tensors;

  LayoutPairs(String modelType, String config, String settings, String tensors) {
    this.modelType = modelType;
    this.config = config;
    this.settings = settings;
    this.tensors = tensors;
  }

  /** The configuration, a JSON object. */
  String config() {
    String usual =
        """
        "model_type": "%s", "vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "head_dim": 8, "max_position_embeddings": 256"""
            .formatted(modelType);
    for (String other : new String[] {"\"num_key_value_heads\": 2", "\"intermediate_size\": 48"}) {
      String key = other.substring(0, other.indexOf(':'));
      usual += config.contains(key) || modelType.equals("falcon") ? "" : ", " + other;
    }
    return "{" + usual + ", " + config + "}";
  }

  /** The architecture in GGUF, and behind it lines of keys and values. */
  String[] settings() {
    return settings.lines().toArray(String[]::new);
  }

  /** A line for each kind of tensor. */
  String[] tensors() {
    return tensors.lines().toArray(String[]::new);
  }
}
