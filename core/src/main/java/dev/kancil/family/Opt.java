package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.List;
import java.util.Map;

/**
 * OPT (Zhang et al. 2022): learned positions, of which the table has two that are never used, layer
 * norms, biases, relu. OPT-350M norms behind each part and has narrower embeddings of tokens. GGUF
 * knows no OPT.
 */
final class Opt implements Family {
  private static final String PREFIX = "model.";
  private static final String DECODER = PREFIX + "decoder.";
  private static final String LAYER = DECODER + "layers.{}.";
  private static final int UNUSED_POSITIONS = 2;
  private static final float EPSILON = 1e-5f;
  private static final String EMBEDDING_WIDTH = "word_embed_proj_dim";
  private static final WeightNames NAMES =
      WeightNames.of(
          PREFIX,
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, DECODER + "embed_tokens.weight"),
              entry(WeightName.POSITION_EMBEDDING, DECODER + "embed_positions.weight"),
              entry(WeightName.ATTENTION_NORM, LAYER + "self_attn_layer_norm.weight"),
              entry(WeightName.QUERY, LAYER + "self_attn.q_proj.weight"),
              entry(WeightName.KEY, LAYER + "self_attn.k_proj.weight"),
              entry(WeightName.VALUE, LAYER + "self_attn.v_proj.weight"),
              entry(WeightName.ATTENTION_OUTPUT, LAYER + "self_attn.out_proj.weight"),
              entry(WeightName.FEED_FORWARD_NORM, LAYER + "final_layer_norm.weight"),
              entry(WeightName.UP, LAYER + "fc1.weight"),
              entry(WeightName.DOWN, LAYER + "fc2.weight"),
              entry(WeightName.EMBEDDING_WIDENING, DECODER + "project_in.weight"),
              entry(WeightName.OUTPUT_NARROWING, DECODER + "project_out.weight"),
              entry(WeightName.FINAL_NORM, DECODER + "final_layer_norm.weight"),
              entry(WeightName.OUTPUT, "lm_head.weight")));

  @Override
  public List<String> architectures() {
    return List.of("opt");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    int width = settings.width();
    int embeddingWidth = settings.optional(EMBEDDING_WIDTH, 1 << 20).orElse(width);
    Embeddings.Inner inner =
        embeddingWidth == width
            ? Embeddings.Inner.NONE
            : new Embeddings.Inner(embeddingWidth, true);
    boolean isPreNorm = settings.flag("do_layer_norm_before", true);
    boolean isWeighted = settings.flag("layer_norm_elementwise_affine", true);
    Norm norm = new Norm.Layer(EPSILON, isWeighted, isWeighted);
    boolean hasBias = settings.flag("enable_bias", true);
    return new Decoder(
        new Embeddings(width, 1, settings.contextLength(), Norm.NONE, 0, inner, 0),
        settings.eachBlock(
            layer -> {
              AttentionLayer attention =
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(new AttentionLayer.Biases(hasBias, hasBias));
              FeedForward feedForward =
                  new FeedForward.Plain(
                      settings.activation(Activation.RELU),
                      settings.feedForwardWidth(layer),
                      hasBias);
              return isPreNorm
                  ? Block.preNorm(norm, attention, feedForward)
                  : Block.postNorm(norm, attention, feedForward);
            }),
        isPreNorm && !settings.flag("_remove_final_layer_norm", false) ? norm : Norm.NONE,
        Decoder.Head.of(settings.isTied(true)));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    long positions = (long) settings.contextLength() + UNUSED_POSITIONS;
    return NAMES.with(
        WeightName.POSITION_EMBEDDING, place -> place.rows(UNUSED_POSITIONS, positions));
  }
}
