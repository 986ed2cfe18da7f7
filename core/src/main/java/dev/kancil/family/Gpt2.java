package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.List;
import java.util.Map;

/**
 * GPT-2 (Radford et al. 2019): learned positions, layer norms, biases everywhere. Its
 * configurations' checkpoints store matrices [in, out], and queries, keys and values in one.
 */
final class Gpt2 implements Family {
  private static final String PREFIX = "transformer.";
  private static final WeightNames HUGGING_FACE =
      WeightNames.of(
              PREFIX,
              Map.ofEntries(
                  entry(WeightName.TOKEN_EMBEDDING, PREFIX + "wte.weight"),
                  entry(WeightName.POSITION_EMBEDDING, PREFIX + "wpe.weight"),
                  entry(WeightName.ATTENTION_NORM, PREFIX + "h.{}.ln_1.weight"),
                  entry(WeightName.ATTENTION_OUTPUT, PREFIX + "h.{}.attn.c_proj.weight"),
                  entry(WeightName.FEED_FORWARD_NORM, PREFIX + "h.{}.ln_2.weight"),
                  entry(WeightName.UP, PREFIX + "h.{}.mlp.c_fc.weight"),
                  entry(WeightName.DOWN, PREFIX + "h.{}.mlp.c_proj.weight"),
                  entry(WeightName.FINAL_NORM, PREFIX + "ln_f.weight"),
                  entry(WeightName.OUTPUT, "lm_head.weight")))
          .with(WeightName.ATTENTION_OUTPUT, WeightPlace::transposed)
          .with(WeightName.UP, WeightPlace::transposed)
          .with(WeightName.DOWN, WeightPlace::transposed);

  @Override
  public List<String> architectures() {
    return List.of("gpt2");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    return new Decoder(
        new Embeddings(settings.width(), 1, settings.contextLength()),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    AttentionLayer.of(settings.headsOf(layer))
                        .with(new AttentionLayer.Biases(true, true))
                        .withScale(scale(settings, layer)),
                    new FeedForward.Plain(
                        settings.activation(Activation.GELU_TANH),
                        settings.feedForwardWidthOrFourfold(layer),
                        true))),
        norm,
        Decoder.Head.of(settings.isTied(true)));
  }

  private static double scale(Hyperparameters settings, int layer) {
    if (settings.isGguf()) {
      return 1 / Math.sqrt(settings.keyWidth());
    }
    double scale =
        settings.flag("scale_attn_weights", true) ? 1 / Math.sqrt(settings.keyWidth()) : 1;
    return settings.flag("scale_attn_by_inverse_layer_idx", false) ? scale / (layer + 1) : scale;
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    Heads heads = settings.headsOf(0);
    return settings.isGguf()
        ? WeightNames.GGUF.withFusedAttention("blk.{}.attn_qkv.weight", heads)
        : HUGGING_FACE.withFusedAttention(
            WeightPlace.named(PREFIX + "h.{}.attn.c_attn.weight").transposed(), heads);
  }
}
