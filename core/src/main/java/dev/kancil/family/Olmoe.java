package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * OLMoE (Muennighoff et al. 2024): the form of Llama with experts, and norms over all heads'
 * queries and keys.
 */
final class Olmoe implements Family {
  @Override
  public List<String> architectures() {
    return List.of("olmoe");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    boolean hasBias = settings.hasBias("attention_bias", false);
    MoeRoute route =
        new MoeRoute(
            settings.required("expert_used_count"),
            MoeRoute.Scoring.SOFTMAX,
            !settings.isGguf() && settings.flag("norm_topk_prob", false),
            1);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .withClamp(Olmo.clamp(settings))
                        .with(new AttentionLayer.Biases(hasBias, hasBias))
                        .with(AttentionLayer.QueryKeyNorm.ofWhole(norm)),
                    new FeedForward.Experts(
                        settings.activation(Activation.SILU),
                        settings.required("expert_count"),
                        settings.feedForwardWidth(layer),
                        route,
                        false,
                        FeedForward.Shared.NONE))),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return WeightNames.usual(settings)
        .withExpertsInMemory(settings, "model.layers.{}.mlp", settings.feedForwardWidth(0));
  }
}
