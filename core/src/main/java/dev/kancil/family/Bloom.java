package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * BLOOM (BigScience Workshop 2022): linear biases of scores instead of positions, a norm of the
 * embeddings, layer norms and biases everywhere. Queries, keys and values lie in one matrix, head
 * by head.
 */
final class Bloom implements Family {
  private static final String PREFIX = "transformer.";
  private static final String LAYER = PREFIX + "h.{}.";
  private static final WeightNames HUGGING_FACE =
      WeightNames.of(
          PREFIX,
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, PREFIX + "word_embeddings.weight"),
              entry(WeightName.EMBEDDING_NORM, PREFIX + "word_embeddings_layernorm.weight"),
              entry(WeightName.ATTENTION_NORM, LAYER + "input_layernorm.weight"),
              entry(WeightName.ATTENTION_OUTPUT, LAYER + "self_attention.dense.weight"),
              entry(WeightName.FEED_FORWARD_NORM, LAYER + "post_attention_layernorm.weight"),
              entry(WeightName.UP, LAYER + "mlp.dense_h_to_4h.weight"),
              entry(WeightName.DOWN, LAYER + "mlp.dense_4h_to_h.weight"),
              entry(WeightName.FINAL_NORM, PREFIX + "ln_f.weight"),
              entry(WeightName.OUTPUT, "lm_head.weight")));

  @Override
  public List<String> architectures() {
    return List.of("bloom");
  }

  @Override
  public int usualContext() {
    return 2048;
  }

  @Override
  public Decoder decoder(Hyperparameters settings) {
    String residual = "apply_residual_connection_post_layernorm";
    if (!settings.isGguf() && settings.flag(residual, false)) {
      throw settings.unsupported(residual, "is true");
    }
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    AttentionLayer attention =
        AttentionLayer.of(settings.headsOf(0))
            .with(new AttentionLayer.Biases(true, true))
            .withScore(Alibi.of(settings.heads(0), 1));
    return new Decoder(
        new Decoder.Embeddings(settings.width(), 1, 0, norm),
        IntStream.range(0, settings.blocks())
            .mapToObj(
                layer ->
                    Block.preNorm(
                        norm,
                        attention,
                        new FeedForward.Plain(
                            Activation.GELU_TANH,
                            settings.feedForwardWidthOrFourfold(layer),
                            true)))
            .toList(),
        norm,
        Decoder.Head.of(settings.isTied(true)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    Heads heads = settings.headsOf(0);
    return settings.isGguf()
        // llama.cpp sorts them: all queries, all keys, all values.
        ? WeightNames.GGUF.withFusedAttention("blk.{}.attn_qkv.weight", heads)
        : HUGGING_FACE.withGroupedAttention(LAYER + "self_attention.query_key_value.weight", heads);
  }
}
