package dev.kancil.family;

import dev.kancil.format.Checkpoint.Layout;

/**
 * Where checkpoints of DeepSeek keep the weights of latent attention: what comes from a vector
 * together lies together.
 *
 * @param plain columns of a head's query or key that are not turned
 * @param turned columns that are
 * @param latent columns of the latent vector
 * @param values columns of a head's value
 */
record DeepSeekNames(
    boolean isGguf, long heads, long plain, long turned, long latent, long values) {
  /**
   * @param isDirect whether queries come from the row itself
   * @param isSplit whether the heads' matrices of keys, turned round, and of values lie apart
   */
  WeightNames of(boolean isDirect, boolean isSplit) {
    WeightPlace queries = isDirect ? named("attn_q", "q_proj") : named("attn_q_b", "q_b_proj");
    WeightPlace latents = named("attn_kv_a_mqa", "kv_a_proj_with_mqa");
    WeightPlace both = named("attn_kv_b", "kv_b_proj");
    return WeightNames.of(isGguf ? Layout.GGUF : Layout.HUGGING_FACE)
        .with(WeightName.QUERY, queries.rowsOfGroups(0, plain, plain + turned))
        .with(WeightName.QUERY_TURNED, queries.rowsOfGroups(plain, turned, plain + turned))
        .with(WeightName.QUERY_LATENT, named("attn_q_a", "q_a_proj"))
        .with(WeightName.QUERY_LATENT_NORM, named("attn_q_a_norm", "q_a_layernorm"))
        .with(WeightName.LATENT, latents.rows(0, latent + turned))
        .with(WeightName.KEY_TURNED, latents.rows(latent, latent + turned))
        .with(WeightName.LATENT_NORM, named("attn_kv_a_norm", "kv_a_layernorm"))
        .with(
            WeightName.LATENT_KEY,
            isSplit
                ? named("attn_k_b", "")
                : both.rowsOfGroups(0, plain, plain + values)
                    .shaped(heads * plain, latent)
                    .transposed())
        .with(
            WeightName.LATENT_VALUE,
            isSplit
                ? named("attn_v_b", "")
                : both.rowsOfGroups(plain, values, plain + values).shaped(heads * values, latent));
  }

  private WeightPlace named(String ofGguf, String ofFolder) {
    return WeightPlace.named(
        isGguf
            ? "blk.{}." + ofGguf + ".weight"
            : "model.layers.{}.self_attn." + ofFolder + ".weight");
  }
}
