package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.stream.IntStream;

/** Llama 1 to 3 and all that share its form (Touvron et al. 2023; Llama Team 2024). */
final class Llama implements Family {
  @Override
  public Decoder decoder(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    RotaryEmbedding rotary = RotarySettings.read(settings, Pairing.NEIGHBOURS, 10_000);
    return new Decoder(
        settings.width(),
        1,
        IntStream.range(0, settings.blocks())
            .mapToObj(
                layer ->
                    Block.preNorm(
                        norm,
                        AttentionLayer.grouped(
                            settings.heads(layer),
                            settings.kvHeads(layer),
                            settings.keyWidth(),
                            settings.valueWidth(),
                            rotary),
                        FeedForward.gated(Activation.SILU, settings.feedForwardWidth(layer))))
            .toList(),
        norm,
        0);
  }
}
