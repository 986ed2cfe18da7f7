package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import java.util.List;

/**
 * BLOOM (BigScience Workshop 2022): linear biases of scores instead of positions, a norm of the
 * embeddings, layer norms and biases everywhere. Queries, keys and values lie in one matrix, head
 * by head.
 */
final class Bloom implements Family {
  private static final WeightNames HUGGING_FACE =
      Falcon.HUGGING_FACE.with(
          WeightName.EMBEDDING_NORM, Falcon.PREFIX + "word_embeddings_layernorm.weight");

  @Override
  public List<String> architectures() {
    return List.of("bloom");
  }

  @Override
  public int usualContext() {
    return 2048;
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    String residual = "apply_residual_connection_post_layernorm";
    if (!settings.isGguf() && settings.flag(residual, false)) {
      throw settings.unsupported(residual, "is true");
    }
    String sliced = "slow_but_exact";
    if (!settings.isGguf()
        && settings.flag(sliced, false)
        && settings.number("pretraining_tp").orElse(1.0) > 1) {
      // Transformers leaves out biases then.
      throw settings.unsupported(sliced, "is true, and pretraining_tp more than 1");
    }
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    AttentionLayer attention =
        AttentionLayer.of(settings.headsOf(0))
            .with(new AttentionLayer.Biases(true, true))
            .withScore(Alibi.of(settings.heads(0), 1));
    return new Decoder(
        new Embeddings(settings.width(), 1, 0, norm),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                    norm,
                    attention,
                    new FeedForward.Plain(
                        Activation.GELU_TANH, settings.feedForwardWidthOrFourfold(layer), true))),
        norm,
        Decoder.Head.of(settings.isTied(true)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    Heads heads = settings.headsOf(0);
    return settings.isGguf()
        // llama.cpp sorts them: all queries, all keys, all values.
        ? WeightNames.GGUF.withFusedAttention("blk.{}.attn_qkv.weight", heads)
        : HUGGING_FACE.withGroupedAttention(
            Falcon.LAYER + "self_attention.query_key_value.weight", heads);
  }
}
