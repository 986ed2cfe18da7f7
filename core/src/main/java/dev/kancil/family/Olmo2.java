package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * OLMo 2 (Team OLMo 2025): the form of Llama with norms behind each part instead of before it, and
 * norms over all heads' queries and keys.
 */
final class Olmo2 implements Family {
  @Override
  public List<String> architectures() {
    return List.of("olmo2");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 500_000);
    boolean hasBias = settings.hasBias("attention_bias", false);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.normedChanges(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .with(new AttentionLayer.Biases(hasBias, hasBias))
                        .with(AttentionLayer.QueryKeyNorm.ofWhole(norm)),
                    FeedForward.gated(
                        settings.activation(Activation.SILU), settings.feedForwardWidth(layer)))),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.of(settings.layout());
    return settings.isGguf()
        ? usual
        : usual
            .with(WeightName.POST_ATTENTION_NORM, "model.layers.{}.post_attention_layernorm.weight")
            .with(
                WeightName.POST_FEED_FORWARD_NORM,
                "model.layers.{}.post_feedforward_layernorm.weight");
  }
}
