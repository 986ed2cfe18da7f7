package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * Command R and R+, Aya 23 (Cohere 2024): both parts of a block beside each other after one layer
 * norm without a bias, rotation of neighbours, scaled logits; R+ norms queries and keys. Of Command
 * R7B and A (Cohere 2025) each fourth layer sees everything and turns nothing, and the others see a
 * window.
 */
final class Cohere implements Family {
  private static final float USUAL_LOGIT_SCALE = 0.0625f;

  @Override
  public List<String> architectures() {
    return List.of("cohere", "cohere2", "command-r");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    float epsilon = settings.layerNormEpsilon();
    Norm norm = new Norm.Layer(epsilon, true, false);
    Rotation rotation = RotarySettings.read(settings, Pairing.NEIGHBOURS, 10_000);
    boolean isSecond = settings.architecture().equals("cohere2");
    boolean isNormed =
        settings.isGguf()
            ? settings.hasTensor("blk.0.attn_q_norm.weight")
            : settings.flag("use_qk_norm", false);
    AttentionLayer attention =
        AttentionLayer.of(settings.headsOf(0))
            .with(
                new AttentionLayer.Biases(
                    settings.hasBias("attention_bias", false, "attn_q", "attn_qkv"),
                    settings.hasBias("attention_bias", false, "attn_output")))
            .with(
                isNormed
                    ? AttentionLayer.QueryKeyNorm.ofHeads(Norm.layerOfHeads(epsilon))
                    : AttentionLayer.QueryKeyNorm.NONE);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              boolean isWindowed = isSecond && settings.isWindowed(layer, 4);
              AttentionLayer windowed =
                  isWindowed ? attention.withWindow(settings.window()) : attention;
              return Block.parallel(
                  norm,
                  true,
                  isSecond && !isWindowed ? windowed : windowed.with(rotation),
                  FeedForward.gated(
                      settings.activation(Activation.SILU), settings.feedForwardWidth(layer)));
            }),
        norm,
        new Decoder.Head(
            settings.isTied(true),
            false,
            settings.positive("logit_scale").map(Double::floatValue).orElse(USUAL_LOGIT_SCALE),
            0));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    Heads heads = settings.headsOf(0);
    return WeightNames.usual(settings)
        .with(WeightName.QUERY_NORM, place -> place.ofHeads(heads.query()))
        .with(WeightName.KEY_NORM, place -> place.ofHeads(heads.keyValue()));
  }
}
