package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * Nemotron 3 and 4, and Minitron (Parmar et al. 2024): layer norms, of which folders have weights
 * less 1, rotation of a part of each head, and feed-forward parts without a gate whose activation
 * is squared.
 */
final class Nemotron implements Family {
  @Override
  public List<String> architectures() {
    return List.of("nemotron");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    if (!settings.isGguf()) {
      // Transformers does not ask for it, others do.
      RotarySettings.requirePlain(settings, "rope.scaling.type");
    }
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    AttentionLayer.Biases biases =
        new AttentionLayer.Biases(
            settings.hasBias("attention_bias", false, "attn_q", "attn_qkv"),
            settings.hasBias("attention_bias", false, "attn_output"));
    boolean hasBias = settings.hasBias("mlp_bias", false, "ffn_up");
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer)).with(rotation).with(biases),
                    new FeedForward.Plain(
                        settings.activation(Activation.RELU_SQUARED),
                        settings.feedForwardWidth(layer),
                        hasBias))),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames names = WeightNames.usual(settings);
    if (settings.isGguf()) {
      return names;
    }
    for (WeightName norm :
        List.of(WeightName.ATTENTION_NORM, WeightName.FEED_FORWARD_NORM, WeightName.FINAL_NORM)) {
      names = names.with(norm, WeightPlace::plusOne);
    }
    return names;
  }
}
