package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Map;

/**
 * GPT-NeoX and Pythia (Black et al. 2022): both parts of a block beside each other, layer norms,
 * biases everywhere, rotation of a part of each head. Queries, keys and values lie in one matrix,
 * head by head.
 */
final class GptNeox implements Family {
  private static final String PREFIX = "gpt_neox.";
  private static final WeightNames HUGGING_FACE =
      WeightNames.of(
          PREFIX,
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, PREFIX + "embed_in.weight"),
              entry(WeightName.ATTENTION_NORM, PREFIX + "layers.{}.input_layernorm.weight"),
              entry(WeightName.ATTENTION_OUTPUT, PREFIX + "layers.{}.attention.dense.weight"),
              entry(
                  WeightName.FEED_FORWARD_NORM,
                  PREFIX + "layers.{}.post_attention_layernorm.weight"),
              entry(WeightName.UP, PREFIX + "layers.{}.mlp.dense_h_to_4h.weight"),
              entry(WeightName.DOWN, PREFIX + "layers.{}.mlp.dense_4h_to_h.weight"),
              entry(WeightName.FINAL_NORM, PREFIX + "final_layer_norm.weight"),
              entry(WeightName.OUTPUT, "embed_out.weight")));

  @Override
  public List<String> architectures() {
    return List.of("gpt_neox", "gptneox");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    boolean isParallel = settings.flag("use_parallel_residual", true);
    boolean hasBias = settings.isGguf() || settings.flag("attention_bias", true);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              AttentionLayer attention =
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(rotation)
                      .with(new AttentionLayer.Biases(hasBias, hasBias));
              FeedForward feedForward =
                  new FeedForward.Plain(
                      settings.activation(Activation.GELU), settings.feedForwardWidth(layer), true);
              return isParallel
                  ? Block.parallel(norm, false, attention, feedForward)
                  : Block.preNorm(norm, attention, feedForward);
            }),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    Heads heads = settings.headsOf(0);
    if (settings.isGguf()) {
      // llama.cpp sorts them: all queries, all keys, all values.
      return WeightNames.GGUF.withFusedAttention("blk.{}.attn_qkv.weight", heads);
    }
    return HUGGING_FACE.withGroupedAttention(
        PREFIX + "layers.{}.attention.query_key_value.weight", heads);
  }
}
