package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;
import java.util.stream.IntStream;

/**
 * Experts as DeepSeek has them (DeepSeek-AI 2024), and those who follow it: behind some blocks
 * without, chosen from the best groups, and beside one that all rows use.
 */
final class DeepSeekExperts {
  /** GGUF's number for scores that are softmax of all logits. */
  static final int SOFTMAX = 1;

  /** GGUF's number for scores that are the sigmoid of each. */
  static final int SIGMOID = 2;

  private static final int MOST = 1 << 16;

  private DeepSeekExperts() {}

  private static boolean isSecond(Hyperparameters settings) {
    return settings.architecture().equals("deepseek_v2");
  }

  private static int usualGating(Hyperparameters settings) {
    return settings.architecture().equals(GlmMixture.GGUF) ? SIGMOID : SOFTMAX;
  }

  /** The feed-forward part of a layer. */
  static FeedForward feedForward(Hyperparameters settings, int layer) {
    Activation activation = settings.activation(Activation.SILU);
    int experts = settings.optional("expert_count", MOST).orElse(0);
    boolean isDense =
        layer < first(settings, "leading_dense_block_count", 0)
            || layer % Math.max(1, first(settings, "moe_layer_freq", 1)) != 0;
    if (experts == 0 || isDense) {
      return FeedForward.gated(activation, settings.feedForwardWidth(layer));
    }
    int width = settings.required("expert_feed_forward_length");
    long shared = first(settings, "expert_shared_count", 0);
    MoeRoute route = route(settings);
    return new FeedForward.Experts(
        activation,
        experts,
        width,
        route,
        route.scoring() == MoeRoute.Scoring.SIGMOID,
        new FeedForward.Shared(Math.toIntExact(shared * width), false));
  }

  /** A count that may be 0. */
  private static long first(Hyperparameters settings, String key, long usual) {
    return settings.integers(key).stream().findFirst().orElse(usual);
  }

  private static MoeRoute route(Hyperparameters settings) {
    boolean isSigmoid =
        settings.isGguf()
            ? first(settings, "expert_gating_func", usualGating(settings)) == SIGMOID
            : !isSecond(settings);
    boolean isRenormalised =
        settings.flag("expert_weights_norm", !settings.isGguf() && !isSecond(settings));
    if (isSecond(settings) && isRenormalised) {
      throw settings.unsupported("expert_weights_norm", "is true");
    }
    boolean hasGroups =
        !isSecond(settings)
            || settings.string("topk_method").orElse("greedy").equals("group_limited_greedy");
    int groups = hasGroups ? settings.optional("expert_group_count", MOST).orElse(1) : 1;
    MoeRoute.Grouping grouping =
        groups == 1
            ? MoeRoute.Grouping.NONE
            : new MoeRoute.Grouping(
                groups,
                settings.optional("expert_group_used_count", groups).orElse(groups),
                isSigmoid ? MoeRoute.Ranking.SUM_OF_TWO : MoeRoute.Ranking.BEST);
    return new MoeRoute(
        settings.required("expert_used_count"),
        isSigmoid ? MoeRoute.Scoring.SIGMOID : MoeRoute.Scoring.SOFTMAX,
        isRenormalised,
        settings.positive("expert_weights_scale").orElse(1.0).floatValue(),
        grouping);
  }

  /**
   * The same names where a checkpoint may have experts together, and behind its blocks what guesses
   * further tokens, which only makes generation faster.
   */
  static WeightNames names(WeightNames names, Hyperparameters settings) {
    WeightNames together =
        names.withExpertsInMemory(
            settings,
            "model.layers.{}.mlp",
            settings.optional("expert_feed_forward_length", MOST).orElse(0));
    int ahead = settings.blocksAhead();
    String layer = settings.isGguf() ? "blk." : "model.layers.";
    int blocks = settings.blocks();
    return ahead == 0
        ? together
        : together.ignoring(
            IntStream.range(blocks, blocks + ahead)
                .mapToObj(number -> layer + number + ".")
                .toArray(String[]::new));
  }
}
