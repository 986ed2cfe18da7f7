package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * Seed-OSS (ByteDance Seed Team 2025): the form of Llama, with biases of queries, keys and values,
 * and maybe one of what attention gives.
 */
final class SeedOss implements Family {
  @Override
  public List<String> architectures() {
    return List.of("seed_oss");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    AttentionLayer.Biases biases =
        new AttentionLayer.Biases(
            settings.hasBias("attention_bias", true, "attn_q", "attn_qkv"),
            settings.hasBias("attention_out_bias", false));
    boolean hasBias = settings.hasBias("mlp_bias", false);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer)).with(rotation).with(biases),
                    new FeedForward.Gated(
                        settings.activation(Activation.SILU),
                        settings.feedForwardWidth(layer),
                        hasBias))),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    return settings.isGguf()
        ? usual.with(WeightName.FEED_FORWARD_NORM, "blk.{}.post_attention_norm.weight")
        : usual;
  }
}
