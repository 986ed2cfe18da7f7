package dev.kancil.family;

import java.util.EnumMap;
import java.util.Map;

/** How a format, or a family within a format, spells weight names. */
public final class WeightNames {
  /** GGUF spells them alike for all families. */
  public static final WeightNames GGUF =
      new WeightNames(
          Map.ofEntries(
              Map.entry(WeightName.TOKEN_EMBEDDING, "token_embd.weight"),
              Map.entry(WeightName.ATTENTION_NORM, "blk.{}.attn_norm.weight"),
              Map.entry(WeightName.QUERY, "blk.{}.attn_q.weight"),
              Map.entry(WeightName.KEY, "blk.{}.attn_k.weight"),
              Map.entry(WeightName.VALUE, "blk.{}.attn_v.weight"),
              Map.entry(WeightName.QUERY_NORM, "blk.{}.attn_q_norm.weight"),
              Map.entry(WeightName.KEY_NORM, "blk.{}.attn_k_norm.weight"),
              Map.entry(WeightName.ATTENTION_OUTPUT, "blk.{}.attn_output.weight"),
              Map.entry(WeightName.POST_ATTENTION_NORM, "blk.{}.post_attention_norm.weight"),
              Map.entry(WeightName.FEED_FORWARD_NORM, "blk.{}.ffn_norm.weight"),
              Map.entry(WeightName.GATE, "blk.{}.ffn_gate.weight"),
              Map.entry(WeightName.UP, "blk.{}.ffn_up.weight"),
              Map.entry(WeightName.DOWN, "blk.{}.ffn_down.weight"),
              Map.entry(WeightName.POST_FEED_FORWARD_NORM, "blk.{}.post_ffw_norm.weight"),
              Map.entry(WeightName.ROPE_FACTORS, "rope_freqs.weight"),
              Map.entry(WeightName.FINAL_NORM, "output_norm.weight"),
              Map.entry(WeightName.OUTPUT, "output.weight")));

  private final Map<WeightName, String> patterns;

  private WeightNames(Map<WeightName, String> patterns) {
    this.patterns = new EnumMap<>(patterns);
  }

  /** The name in block {@code layer}; the layer is of no account for weights outside the blocks. */
  public String name(WeightName weight, int layer) {
    String pattern = patterns.get(weight);
    if (pattern == null) {
      throw new IllegalArgumentException("no name for " + weight);
    }
    return pattern.replace("{}", String.valueOf(layer));
  }
}
