package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * Phi-1, 1.5 and 2 (Gunasekar et al. 2023; Li et al. 2023): both parts of a block beside each other
 * after one layer norm, biases everywhere, rotation of a part of each head.
 */
final class Phi implements Family {
  private static final String LAYER = "model.layers.{}.";

  @Override
  public List<String> architectures() {
    return List.of("phi", "phi2");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    boolean isNormed = !settings.isGguf() && settings.flag("qk_layernorm", false);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.parallel(
                    norm,
                    true,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .with(new AttentionLayer.Biases(true, true))
                        .with(
                            isNormed
                                ? AttentionLayer.QueryKeyNorm.ofHeads(norm)
                                : AttentionLayer.QueryKeyNorm.NONE),
                    new FeedForward.Plain(
                        settings.activation(Activation.GELU_TANH),
                        settings.feedForwardWidth(layer),
                        true))),
        norm,
        new Decoder.Head(settings.isTied(false), true, 1, 0));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    return settings.isGguf()
        ? usual
        : usual
            .with(WeightName.QUERY_NORM, LAYER + "self_attn.q_layernorm.weight")
            .with(WeightName.KEY_NORM, LAYER + "self_attn.k_layernorm.weight")
            .with(WeightName.ATTENTION_OUTPUT, LAYER + "self_attn.dense.weight")
            .with(WeightName.UP, LAYER + "mlp.fc1.weight")
            .with(WeightName.DOWN, LAYER + "mlp.fc2.weight")
            .with(WeightName.FINAL_NORM, "model.final_layernorm.weight");
  }
}
