package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * Phi-3 and Phi-4 (Abdin et al. 2024): the form of Llama, with queries, keys and values in one
 * matrix, gate and up in another, and LongRoPE.
 */
final class Phi3 implements Family {
  @Override
  public List<String> architectures() {
    return List.of("phi3");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(rotation)
                        .withWindow(settings.window()),
                    FeedForward.gated(
                        settings.activation(Activation.SILU), settings.feedForwardWidth(layer)))),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    boolean isGguf = settings.isGguf();
    return WeightNames.of(settings.layout())
        .withFusedAttention(
            isGguf ? "blk.{}.attn_qkv.weight" : "model.layers.{}.self_attn.qkv_proj.weight",
            settings.headsOf(0))
        .withFusedGate(
            isGguf ? "blk.{}.ffn_up.weight" : "model.layers.{}.mlp.gate_up_proj.weight",
            settings.feedForwardWidth(0));
  }
}
