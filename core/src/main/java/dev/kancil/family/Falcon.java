package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Falcon (Almazrouei et al. 2023): both parts of a block beside each other, after one norm (7B,
 * 11B) or one each (40B, 180B); queries, keys and values in one matrix. The RefinedWeb models have
 * one part after the other, biases, and linear biases of scores instead of a rotation (Penedo et
 * al. 2023); GGUF knows no such.
 */
final class Falcon implements Family {
  static final String PREFIX = "transformer.";
  static final String LAYER = PREFIX + "h.{}.";

  private static final String SECOND_NORM = "blk.{}.attn_norm_2.weight";

  /** BLOOM has the same. */
  static final WeightNames HUGGING_FACE =
      WeightNames.of(
          PREFIX,
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, PREFIX + "word_embeddings.weight"),
              entry(WeightName.ATTENTION_NORM, LAYER + "input_layernorm.weight"),
              entry(WeightName.ATTENTION_OUTPUT, LAYER + "self_attention.dense.weight"),
              entry(WeightName.FEED_FORWARD_NORM, LAYER + "post_attention_layernorm.weight"),
              entry(WeightName.UP, LAYER + "mlp.dense_h_to_4h.weight"),
              entry(WeightName.DOWN, LAYER + "mlp.dense_4h_to_h.weight"),
              entry(WeightName.FINAL_NORM, PREFIX + "ln_f.weight"),
              entry(WeightName.OUTPUT, "lm_head.weight")));

  /** What blocks of the first models and of those since look like. */
  private enum Form {
    SEQUENTIAL,
    PARALLEL_WITH_ONE_NORM,
    PARALLEL
  }

  @Override
  public List<String> architectures() {
    return List.of("falcon");
  }

  @Override
  public int usualContext() {
    return 2048;
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Form form = form(settings);
    boolean hasBias = settings.hasBias("bias", false);
    AttentionLayer attention =
        positioned(settings, AttentionLayer.of(heads(settings)))
            .with(new AttentionLayer.Biases(hasBias, hasBias));
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              FeedForward feedForward =
                  new FeedForward.Plain(
                      settings.activation(Activation.GELU),
                      settings.feedForwardWidthOrFourfold(layer),
                      hasBias);
              return form == Form.SEQUENTIAL
                  ? Block.preNorm(norm, attention, feedForward)
                  : Block.parallel(
                      norm, form == Form.PARALLEL_WITH_ONE_NORM, attention, feedForward);
            }),
        norm,
        Decoder.Head.of(settings.isTied(true)));
  }

  private static AttentionLayer positioned(Hyperparameters settings, AttentionLayer attention) {
    boolean isAlibi = !settings.isGguf() && settings.flag("alibi", false);
    // Biases are scaled with the scores.
    return isAlibi
        ? attention.withScore(Alibi.of(attention.heads().query(), attention.scores().scale()))
        : attention.with(RotarySettings.read(settings, Pairing.HALVES, 10_000));
  }

  private static boolean isNew(Hyperparameters settings) {
    return settings.flag("new_decoder_architecture", false);
  }

  private static Form form(Hyperparameters settings) {
    if (settings.isGguf()) {
      boolean hasTwo = settings.hasTensor(SECOND_NORM.replace("{}", "0"));
      return hasTwo ? Form.PARALLEL : Form.PARALLEL_WITH_ONE_NORM;
    }
    if (isNew(settings)) {
      boolean hasTwo = settings.optional("num_ln_in_parallel_attn", 2).orElse(2) == 2;
      return hasTwo ? Form.PARALLEL : Form.PARALLEL_WITH_ONE_NORM;
    }
    return settings.flag("parallel_attn", true) ? Form.PARALLEL_WITH_ONE_NORM : Form.SEQUENTIAL;
  }

  /** The first models have one key and value for all heads, whatever else they say, or one each. */
  private static Heads heads(Hyperparameters settings) {
    Heads named = settings.headsOf(0);
    if (settings.isGguf() || isNew(settings)) {
      return named;
    }
    int keyValue = settings.flag("multi_query", true) ? 1 : named.query();
    return new Heads(named.query(), keyValue, named.keyWidth(), named.valueWidth());
  }

  @Override
  public Set<String> ggufMarks(Hyperparameters settings) {
    return form(settings) == Form.PARALLEL ? Set.of(SECOND_NORM.replace("{}", "0")) : Set.of();
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    boolean hasTwo = form(settings) == Form.PARALLEL;
    if (settings.isGguf()) {
      WeightNames fused =
          WeightNames.GGUF.withFusedAttention("blk.{}.attn_qkv.weight", heads(settings));
      return hasTwo
          ? fused
              .with(WeightName.ATTENTION_NORM, SECOND_NORM)
              .with(WeightName.FEED_FORWARD_NORM, "blk.{}.attn_norm.weight")
          : fused;
    }
    WeightNames grouped =
        HUGGING_FACE.withGroupedAttention(
            LAYER + "self_attention.query_key_value.weight", heads(settings));
    return hasTwo
        ? grouped
            .with(WeightName.ATTENTION_NORM, LAYER + "ln_attn.weight")
            .with(WeightName.FEED_FORWARD_NORM, LAYER + "ln_mlp.weight")
        : grouped;
  }
}
