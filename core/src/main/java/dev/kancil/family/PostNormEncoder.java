package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The form that BERT and its kin share: learned positions, norms of each sum, biases everywhere;
 * and {@link EncoderHeads}.
 */
final class PostNormEncoder {
  private PostNormEncoder() {}

  /**
   * The encoder without heads.
   *
   * @param positions rows of the table of position embeddings
   * @param tokenTypes how many kinds of tokens there are
   * @param inner columns of embeddings; 0: as many as the stream has
   * @param attention what is done to the usual attention
   */
  static Encoder of(
      Hyperparameters settings,
      int positions,
      int tokenTypes,
      int inner,
      UnaryOperator<AttentionLayer> attention) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    return of(settings, norm, positions, tokenTypes, inner, attention);
  }

  /** The same with this norm. */
  static Encoder of(
      Hyperparameters settings,
      Norm norm,
      int positions,
      int tokenTypes,
      int inner,
      UnaryOperator<AttentionLayer> attention) {
    String kind = "position_embedding_type";
    settings
        .string(kind)
        .filter(type -> !type.equals("absolute"))
        .ifPresent(
            type -> {
              throw settings.unsupported(kind, "is " + type);
            });
    if (settings.flag("is_decoder", false)) {
      throw settings.unsupported("is_decoder", "is true");
    }
    return Encoder.of(
        new Embeddings(settings.width(), 1, positions, norm, tokenTypes, inner),
        settings.eachBlock(
            layer ->
                Block.postNorm(
                    norm,
                    attention.apply(
                        AttentionLayer.of(settings.headsOf(layer))
                            .with(new AttentionLayer.Biases(true, true))
                            .bothWays()),
                    new FeedForward.Plain(
                        settings.activation(Activation.GELU),
                        settings.feedForwardWidth(layer),
                        true))),
        Norm.NONE);
  }

  /**
   * Names as BERT has them.
   *
   * @param prefix of all names but those of heads
   */
  static WeightNames names(String prefix) {
    String embeddings = prefix + "embeddings.";
    String layer = prefix + "encoder.layer.{}.";
    return WeightNames.of(
        prefix,
        Map.ofEntries(
            entry(WeightName.TOKEN_EMBEDDING, embeddings + "word_embeddings.weight"),
            entry(WeightName.POSITION_EMBEDDING, embeddings + "position_embeddings.weight"),
            entry(WeightName.TOKEN_TYPE_EMBEDDING, embeddings + "token_type_embeddings.weight"),
            entry(WeightName.EMBEDDING_NORM, embeddings + "LayerNorm.weight"),
            entry(WeightName.QUERY, layer + "attention.self.query.weight"),
            entry(WeightName.KEY, layer + "attention.self.key.weight"),
            entry(WeightName.VALUE, layer + "attention.self.value.weight"),
            entry(WeightName.ATTENTION_OUTPUT, layer + "attention.output.dense.weight"),
            entry(WeightName.ATTENTION_NORM, layer + "attention.output.LayerNorm.weight"),
            entry(WeightName.UP, layer + "intermediate.dense.weight"),
            entry(WeightName.DOWN, layer + "output.dense.weight"),
            entry(WeightName.FEED_FORWARD_NORM, layer + "output.LayerNorm.weight"),
            entry(WeightName.POOLER, prefix + "pooler.dense.weight")));
  }
}
