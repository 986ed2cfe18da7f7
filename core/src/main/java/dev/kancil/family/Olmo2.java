package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * OLMo 2 and 3 (Team OLMo 2025): the form of Llama with norms behind each part instead of before
 * it, and norms over all heads' queries and keys. Of OLMo 3 all layers but every fourth see a
 * window, and turn as without any stretching; GGUF files call it OLMo 2, too.
 */
final class Olmo2 implements Family {
  private static final String LATER = "olmo3";

  @Override
  public List<String> architectures() {
    return List.of("olmo2", LATER);
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    double usual = 500_000;
    Rotation global = RotarySettings.read(settings, Pairing.HALVES, usual);
    double base =
        settings
            .positive("rope.freq_base_swa")
            .or(() -> settings.positive("rope.freq_base"))
            .orElse(usual);
    Rotation local = RotarySettings.local(settings, global, base);
    boolean isLater = settings.isGguf() || settings.architecture().equals(LATER);
    boolean hasBias = settings.hasBias("attention_bias", false);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              int window = isLater && settings.isWindowed(layer, 4) ? settings.windowIfUsed() : 0;
              return Block.normedChanges(
                  norm,
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(window > 0 ? local : global)
                      .withWindow(window)
                      .with(new AttentionLayer.Biases(hasBias, hasBias))
                      .with(AttentionLayer.QueryKeyNorm.ofWhole(norm)),
                  FeedForward.gated(
                      settings.activation(Activation.SILU), settings.feedForwardWidth(layer)));
            }),
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
