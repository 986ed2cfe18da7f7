package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import java.util.List;

/** OLMo 1 (Groeneveld et al. 2024): the form of Llama, with layer norms that have no weights. */
final class Olmo implements Family {
  private static final Norm NORM = new Norm.Layer(1e-5f, false, false);
  private static final String CLAMP = "attention.clamp_kqv";

  @Override
  public List<String> architectures() {
    return List.of("olmo");
  }

  /** Nothing here bounds queries, keys and values. */
  static void requireNoClamp(Hyperparameters settings) {
    settings
        .positive(CLAMP)
        .ifPresent(
            clamp -> {
              throw settings.unsupported(CLAMP, "is " + clamp);
            });
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    requireNoClamp(settings);
    Rotation rotation = RotarySettings.readReordered(settings, 10_000);
    boolean hasBias = settings.hasBias("attention_bias", false);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    NORM,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .with(new AttentionLayer.Biases(hasBias, hasBias)),
                    FeedForward.gated(
                        settings.activation(Activation.SILU), settings.feedForwardWidth(layer)))),
        NORM,
        Decoder.Head.of(settings.isTied(false)));
  }
}
