package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;
import java.util.List;

/**
 * Granite 3 (Granite Team 2024): the form of Llama, with factors for embeddings, scores, what is
 * added to the residual stream, and logits; or with experts, of which one may be used by all rows.
 * Of Granite 4, those whose layers all attend: without experts, what all rows use is all there is.
 */
final class Granite implements Family {
  /** Granite 4. */
  static final String HYBRID = "granitemoehybrid";

  private static final String SHARED_WIDTH = "expert_shared_feed_forward_length";
  private static final String LAYER = "model.layers.{}.";
  private static final String MIXTURE = LAYER + "block_sparse_moe.";
  private static final String SHARED = LAYER + "shared_mlp.";

  @Override
  public List<String> architectures() {
    return List.of("granite", "granitemoe", "granitemoeshared", HYBRID);
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    String positions = "position_embedding_type";
    String usual = isHybrid(settings) ? "none" : "rope";
    String kind = settings.isGguf() ? "rope" : settings.string(positions).orElse(usual);
    if (!kind.equals("rope")) {
      throw settings.unsupported(positions, "is " + kind);
    }
    if (isHybrid(settings)) {
      requireAttention(settings);
    }
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.readReordered(settings, 10_000);
    double usualScale = settings.isGguf() ? 1 / Math.sqrt(settings.keyWidth()) : 1;
    AttentionLayer.Biases biases =
        new AttentionLayer.Biases(
            settings.hasBias("attention_bias", false, "attn_q", "attn_qkv"),
            settings.hasBias("attention_bias", false, "attn_output"));
    boolean hasBias = settings.hasBias("mlp_bias", false, "ffn_up");
    return new Decoder(
        new Embeddings(settings.width(), (float) factor(settings, "embedding_scale", 1), 0),
        settings.eachBlock(
            layer ->
                Block.preNorm(
                        norm,
                        AttentionLayer.of(settings.headsOf(layer))
                            .with(rotation)
                            .with(biases)
                            .withScale(factor(settings, "attention.scale", usualScale)),
                        feedForward(settings, layer, hasBias))
                    .withResidualScale((float) factor(settings, "residual_scale", 1))),
        norm,
        new Decoder.Head(
            settings.isTied(false), false, (float) (1 / factor(settings, "logit_scale", 1)), 0));
  }

  private static FeedForward feedForward(Hyperparameters settings, int layer, boolean hasBias) {
    Activation activation = settings.activation(Activation.SILU);
    int experts = experts(settings);
    if (experts == 0) {
      return isHybrid(settings)
          ? FeedForward.gated(activation, settings.required(SHARED_WIDTH))
          : new FeedForward.Gated(activation, settings.feedForwardWidth(layer), hasBias);
    }
    int width = settings.feedForwardWidth(layer);
    MoeRoute route =
        new MoeRoute(settings.required("expert_used_count"), MoeRoute.Scoring.SOFTMAX, true, 1);
    return new FeedForward.Experts(
        activation,
        experts,
        width,
        route,
        false,
        new FeedForward.Shared(sharedWidth(settings), false));
  }

  private static boolean isHybrid(Hyperparameters settings) {
    return settings.architecture().equals(HYBRID);
  }

  private static void requireAttention(Hyperparameters settings) {
    String types = "layer_types";
    if (settings.strings(types).isEmpty()) {
      throw settings.unsupported(types, "is missing, so that layers are mamba");
    }
    for (String type : settings.layerTypes()) {
      // As transformers 4 and 5 call it.
      if (!type.equals("attention") && !type.equals("full_attention")) {
        throw settings.unsupported(types, "has " + type);
      }
    }
  }

  /** How many experts there are; some configurations say 0. */
  private static int experts(Hyperparameters settings) {
    String key = "expert_count";
    long count = settings.integers(key).stream().findFirst().orElse(0L);
    return count == 0 ? 0 : settings.required(key);
  }

  private static int sharedWidth(Hyperparameters settings) {
    long width = settings.integers(SHARED_WIDTH).stream().findFirst().orElse(0L);
    return width == 0 ? 0 : settings.required(SHARED_WIDTH);
  }

  private static double factor(Hyperparameters settings, String key, double usual) {
    return settings.positive(key).orElse(usual);
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    int experts = experts(settings);
    if (settings.isGguf() || (experts == 0 && !isHybrid(settings))) {
      return usual;
    }
    // As transformers 5 has them in memory.
    boolean isStacked = settings.hasTensorEnding(".experts.gate_up_proj");
    WeightPlace shared = WeightPlace.named(SHARED + "input_linear.weight");
    long sharedWidth = sharedWidth(settings);
    if (experts == 0) {
      return usual
          .with(WeightName.GATE, shared.rows(0, 2 * sharedWidth))
          .with(WeightName.UP, shared.rows(sharedWidth, 2 * sharedWidth))
          .with(WeightName.DOWN, SHARED + "output_linear.weight");
    }
    return usual
        .with(WeightName.ROUTER, MIXTURE + (isStacked ? "router.weight" : "router.layer.weight"))
        .withStackedExperts(
            MIXTURE + (isStacked ? "experts.gate_up_proj" : "input_linear.weight"),
            MIXTURE + (isStacked ? "experts.down_proj" : "output_linear.weight"),
            experts,
            settings.feedForwardWidth(0),
            settings.width())
        .with(WeightName.SHARED_GATE, shared.rows(0, 2 * sharedWidth))
        .with(WeightName.SHARED_UP, shared.rows(sharedWidth, 2 * sharedWidth))
        .with(WeightName.SHARED_DOWN, SHARED + "output_linear.weight");
  }
}
