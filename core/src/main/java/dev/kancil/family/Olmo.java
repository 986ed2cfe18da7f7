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

  /** What bounds queries, keys and values; 0: nothing does. */
  static double clamp(Hyperparameters settings) {
    double limit = settings.number(CLAMP).orElse(0.0);
    if (!(limit >= 0 && limit < Float.MAX_VALUE)) {
      throw settings.invalid(CLAMP, "is " + limit);
    }
    return limit;
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
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
                        .withClamp(clamp(settings))
                        .with(new AttentionLayer.Biases(hasBias, hasBias)),
                    FeedForward.gated(
                        settings.activation(Activation.SILU), settings.feedForwardWidth(layer)))),
        NORM,
        Decoder.Head.of(settings.isTied(false)));
  }
}
