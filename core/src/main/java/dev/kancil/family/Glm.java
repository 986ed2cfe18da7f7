package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * GLM-4 (Team GLM 2024): the form of Llama, with biases of queries, keys and values, rotation of
 * neighbours in a part of each head, and gate and up in one matrix. The models of 2025 have norms
 * around both parts of a block. GGUF calls those before ChatGLM.
 */
final class Glm implements Family {
  private static final String LATER = "glm4";
  private static final String LAYER = "model.layers.{}.";

  @Override
  public List<String> architectures() {
    return List.of("glm", LATER, "chatglm");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.NEIGHBOURS, 10_000);
    boolean hasBias = settings.hasBias("attention_bias", false, "attn_q", "attn_qkv");
    boolean isLater = settings.architecture().equals(LATER);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              AttentionLayer attention =
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(rotation)
                      .with(new AttentionLayer.Biases(hasBias, false));
              FeedForward feedForward =
                  FeedForward.gated(
                      settings.activation(Activation.SILU), settings.feedForwardWidth(layer));
              return isLater
                  ? Block.sandwichNorm(norm, attention, feedForward)
                  : Block.preNorm(norm, attention, feedForward);
            }),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    int width = settings.feedForwardWidth(0);
    WeightNames usual = WeightNames.usual(settings);
    if (settings.isGguf()) {
      return usual.withFusedGate("blk.{}.ffn_up.weight", width);
    }
    WeightNames fused = usual.withFusedGate(LAYER + "mlp.gate_up_proj.weight", width);
    return settings.architecture().equals(LATER)
        ? fused
            .with(WeightName.POST_ATTENTION_NORM, LAYER + "post_self_attn_layernorm.weight")
            .with(WeightName.POST_FEED_FORWARD_NORM, LAYER + "post_mlp_layernorm.weight")
        : fused;
  }
}
