package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/** ERNIE 4.5 without experts (Baidu 2025): the form of Llama, with rotation of neighbours. */
final class Ernie implements Family {
  @Override
  public List<String> architectures() {
    return List.of("ernie4_5");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.NEIGHBOURS, 500_000);
    boolean hasBias = settings.hasBias("use_bias", false);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .with(new AttentionLayer.Biases(hasBias, hasBias)),
                    new FeedForward.Gated(
                        settings.activation(Activation.SILU),
                        settings.feedForwardWidth(layer),
                        hasBias))),
        norm,
        Decoder.Head.of(settings.isTied(true)));
  }
}
