package dev.kancil.family;

import static java.util.Map.entry;

import java.util.Map;

/** Where checkpoints of T5 keep the weights of a stack. */
final class T5Names {
  private T5Names() {}

  /**
   * Of a folder.
   *
   * @param stack what the names of the stack begin with
   * @param isEncoder whether it is the encoder's, whose blocks attend to themselves alone
   * @param isGated whether feed-forward parts have a gate
   */
  static WeightNames of(String stack, boolean isEncoder, boolean isGated) {
    String layer = stack + "block.{}.layer.";
    String last = layer + (isEncoder ? "1." : "2.");
    String self = layer + "0.SelfAttention.";
    String cross = layer + "1.EncDecAttention.";
    return WeightNames.of(
        "",
        Map.ofEntries(
            entry(WeightName.ATTENTION_NORM, layer + "0.layer_norm.weight"),
            entry(WeightName.QUERY, self + "q.weight"),
            entry(WeightName.KEY, self + "k.weight"),
            entry(WeightName.VALUE, self + "v.weight"),
            entry(WeightName.ATTENTION_OUTPUT, self + "o.weight"),
            entry(WeightName.CROSS_NORM, layer + "1.layer_norm.weight"),
            entry(WeightName.CROSS_QUERY, cross + "q.weight"),
            entry(WeightName.CROSS_KEY, cross + "k.weight"),
            entry(WeightName.CROSS_VALUE, cross + "v.weight"),
            entry(WeightName.CROSS_OUTPUT, cross + "o.weight"),
            entry(WeightName.FEED_FORWARD_NORM, last + "layer_norm.weight"),
            entry(WeightName.GATE, last + "DenseReluDense.wi_0.weight"),
            entry(WeightName.UP, last + "DenseReluDense." + (isGated ? "wi_1" : "wi") + ".weight"),
            entry(WeightName.DOWN, last + "DenseReluDense.wo.weight"),
            entry(WeightName.FINAL_NORM, stack + "final_layer_norm.weight"),
            entry(WeightName.OUTPUT, "lm_head.weight")));
  }

  /**
   * Of a GGUF file.
   *
   * @param stack what the names of the stack begin with
   * @param hasBiasInEachLayer whether relative biases are each layer's own, not all of the first
   */
  static WeightNames ofGguf(String stack, boolean hasBiasInEachLayer) {
    String layer = stack + "blk.{}.";
    return WeightNames.GGUF
        .with(WeightName.ATTENTION_NORM, layer + "attn_norm.weight")
        .with(WeightName.QUERY, layer + "attn_q.weight")
        .with(WeightName.KEY, layer + "attn_k.weight")
        .with(WeightName.VALUE, layer + "attn_v.weight")
        .with(WeightName.ATTENTION_OUTPUT, layer + "attn_o.weight")
        .with(
            WeightName.RELATIVE_BIAS,
            (hasBiasInEachLayer ? layer : stack + "blk.0.") + "attn_rel_b.weight")
        .with(WeightName.CROSS_NORM, layer + "cross_attn_norm.weight")
        .with(WeightName.CROSS_QUERY, layer + "cross_attn_q.weight")
        .with(WeightName.CROSS_KEY, layer + "cross_attn_k.weight")
        .with(WeightName.CROSS_VALUE, layer + "cross_attn_v.weight")
        .with(WeightName.CROSS_OUTPUT, layer + "cross_attn_o.weight")
        .with(WeightName.FEED_FORWARD_NORM, layer + "ffn_norm.weight")
        .with(WeightName.GATE, layer + "ffn_gate.weight")
        .with(WeightName.UP, layer + "ffn_up.weight")
        .with(WeightName.DOWN, layer + "ffn_down.weight")
        .with(WeightName.FINAL_NORM, stack + "output_norm.weight");
  }
}
