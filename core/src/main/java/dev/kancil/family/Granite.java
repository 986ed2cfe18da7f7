package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import java.util.List;

/**
 * Granite 3 (Granite Team 2024): the form of Llama, with factors for embeddings, scores, what is
 * added to the residual stream, and logits.
 */
final class Granite implements Family {
  @Override
  public List<String> architectures() {
    return List.of("granite");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.readReordered(settings, 10_000);
    double usualScale = settings.isGguf() ? 1 / Math.sqrt(settings.keyWidth()) : 1;
    AttentionLayer.Biases biases =
        new AttentionLayer.Biases(
            settings.hasBias("attention_bias", false, "attn_q", "attn_qkv"),
            settings.hasBias("attention_bias", false, "attn_output"));
    boolean hasBias = settings.hasBias("mlp_bias", false, "ffn_up");
    return new Decoder(
        new Embeddings(settings.width(), (float) factor(settings, "embedding_scale", 1), 0),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                        norm,
                        AttentionLayer.of(settings.headsOf(layer))
                            .with(rotation)
                            .with(biases)
                            .withScale(factor(settings, "attention.scale", usualScale)),
                        new FeedForward.Gated(
                            settings.activation(Activation.SILU),
                            settings.feedForwardWidth(layer),
                            hasBias))
                    .withResidualScale((float) factor(settings, "residual_scale", 1))),
        norm,
        new Decoder.Head(
            settings.isTied(false), false, (float) (1 / factor(settings, "logit_scale", 1)), 0));
  }

  private static double factor(Hyperparameters settings, String key, double usual) {
    return settings.positive(key).orElse(usual);
  }
}
