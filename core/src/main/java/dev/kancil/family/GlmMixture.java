package dev.kancil.family;

import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * GLM-4.5 to 4.7 (GLM Team 2025): the form of Llama, with biases of queries, keys and values, maybe
 * norms of each head, rotation of a part of it, and behind the first blocks experts as DeepSeek has
 * them.
 */
final class GlmMixture implements Family {
  /** What GGUF files call it. */
  static final String GGUF = "glm4moe";

  @Override
  public List<String> architectures() {
    return List.of("glm4_moe", GGUF);
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    boolean hasBias = settings.hasBias("attention_bias", false, "attn_q", "attn_qkv");
    boolean isNormed =
        settings.isGguf()
            ? settings.hasTensor("blk.0.attn_q_norm.weight")
            : settings.flag("use_qk_norm", false);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .with(new AttentionLayer.Biases(hasBias, false))
                        .with(
                            isNormed
                                ? AttentionLayer.QueryKeyNorm.ofHeads(norm)
                                : AttentionLayer.QueryKeyNorm.NONE),
                    DeepSeekExperts.feedForward(settings, layer))),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    return DeepSeekExperts.names(
        settings.isGguf()
            ? usual.with(WeightName.FEED_FORWARD_NORM, "blk.{}.post_attention_norm.weight")
            : usual,
        settings);
  }
}
