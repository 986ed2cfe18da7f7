package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * StableLM (Bellagente et al. 2024): the form of Llama, with layer norms and rotation of a part of
 * each head. StableLM 2 12B has both parts of a block beside each other after one norm, and norms
 * queries and keys.
 */
final class StableLm implements Family {
  private static final String ATTENTION = "model.layers.{}.self_attn.";

  @Override
  public List<String> architectures() {
    return List.of("stablelm");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    boolean isParallel =
        settings.isGguf()
            ? !settings.hasTensor("blk.0.ffn_norm.weight")
            : settings.flag("use_parallel_residual", false);
    boolean isNormed =
        settings.isGguf()
            ? settings.hasTensor("blk.0.attn_q_norm.weight")
            : settings.flag("qk_layernorm", false);
    boolean hasBias = settings.hasBias("use_qkv_bias", false, "attn_q", "attn_qkv");
    AttentionLayer.QueryKeyNorm headNorm =
        isNormed
            ? AttentionLayer.QueryKeyNorm.ofHeads(Norm.layerOfHeads(settings.layerNormEpsilon()))
            : AttentionLayer.QueryKeyNorm.NONE;
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              AttentionLayer attention =
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(rotation)
                      .with(new AttentionLayer.Biases(hasBias, false))
                      .with(headNorm);
              FeedForward feedForward =
                  FeedForward.gated(
                      settings.activation(Activation.SILU), settings.feedForwardWidth(layer));
              return isParallel
                  ? Block.parallel(norm, true, attention, feedForward)
                  : Block.preNorm(norm, attention, feedForward);
            }),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    Heads heads = settings.headsOf(0);
    WeightNames usual = WeightNames.usual(settings);
    if (!settings.isGguf()) {
      usual =
          usual
              .with(WeightName.QUERY_NORM, ofHeads("q_layernorm"))
              .with(WeightName.KEY_NORM, ofHeads("k_layernorm"));
    }
    return usual
        .with(WeightName.QUERY_NORM, place -> place.ofHeads(heads.query()))
        .with(WeightName.KEY_NORM, place -> place.ofHeads(heads.keyValue()));
  }

  private static WeightPlace ofHeads(String norm) {
    return WeightPlace.named(ATTENTION + norm + ".norms.{e}.weight").ofExperts();
  }
}
