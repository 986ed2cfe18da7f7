package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * StarCoder2 (Lozhkov et al. 2024): the form of Llama, with layer norms, biases, and a feed-forward
 * part without a gate.
 */
final class Starcoder2 implements Family {
  @Override
  public List<String> architectures() {
    return List.of("starcoder2");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    boolean hasBias = settings.isGguf() || settings.flag("use_bias", true);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .with(new AttentionLayer.Biases(hasBias, hasBias))
                        .withWindow(settings.window()),
                    new FeedForward.Plain(
                        settings.activation(Activation.GELU_TANH),
                        settings.feedForwardWidth(layer),
                        hasBias))),
        norm,
        Decoder.Head.of(settings.isTied(true)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    return settings.isGguf()
        ? usual
        : usual
            .with(WeightName.UP, "model.layers.{}.mlp.c_fc.weight")
            .with(WeightName.DOWN, "model.layers.{}.mlp.c_proj.weight");
  }
}
