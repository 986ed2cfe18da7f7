package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.stream.IntStream;

/**
 * DeepSeek-V2 and V3 (DeepSeek-AI 2024): latent attention, and experts of which some are shared,
 * chosen within groups; the first layers have none. Where YaRN stretches the context, it also
 * changes the temperature of scores.
 */
final class DeepSeek implements Family {
  private static final int MOST = 1 << 16;

  @Override
  public List<String> architectures() {
    return List.of("deepseek2", "deepseek_v2", "deepseek_v3");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = rotation(settings);
    return new Decoder(
        Embeddings.of(settings.width()),
        IntStream.range(0, settings.blocks())
            .mapToObj(
                layer ->
                    Block.preNorm(
                        norm,
                        new LatentAttention(
                            settings.heads(layer),
                            queryRank(settings),
                            latentWidth(settings),
                            plainWidth(settings),
                            valueWidth(settings),
                            rotation,
                            norm,
                            !settings.isGguf() && settings.flag("attention_bias", false),
                            scale(settings)),
                        feedForward(settings, layer)))
            .toList(),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  private static boolean isSecond(Hyperparameters settings) {
    return settings.architecture().equals("deepseek_v2");
  }

  private static int queryRank(Hyperparameters settings) {
    return settings.optional("attention.q_lora_rank", MOST).orElse(0);
  }

  private static int latentWidth(Hyperparameters settings) {
    return settings.required("attention.kv_lora_rank");
  }

  private static int turnedWidth(Hyperparameters settings) {
    return settings.required(settings.isGguf() ? "rope.dimension_count" : "qk_rope_head_dim");
  }

  private static int plainWidth(Hyperparameters settings) {
    if (!settings.isGguf()) {
      return settings.required("qk_nope_head_dim");
    }
    String key = isSplit(settings) ? "attention.key_length_mla" : "attention.key_length";
    int width = settings.required(key) - turnedWidth(settings);
    if (width < 1) {
      throw settings.invalid(key, "leaves no column that is not turned");
    }
    return width;
  }

  private static int valueWidth(Hyperparameters settings) {
    String key = isSplit(settings) ? "attention.value_length_mla" : "attention.value_length";
    return settings.required(settings.isGguf() ? key : "v_head_dim");
  }

  /** Whether a GGUF file has the heads' matrices of keys, turned round, and of values apart. */
  private static boolean isSplit(Hyperparameters settings) {
    return settings.optional("attention.key_length_mla", MOST).isPresent();
  }

  private static Rotation rotation(Hyperparameters settings) {
    boolean isApart =
        settings.architecture().equals("deepseek_v3") && !settings.flag("rope_interleave", true);
    Pairing pairing = isApart ? Pairing.HALVES : Pairing.NEIGHBOURS;
    Rotation rotation = RotarySettings.readWhole(settings, pairing, 10_000, turnedWidth(settings));
    if (!settings.isGguf()) {
      return rotation;
    }
    // GGUF files have one factor for all columns, which scores get.
    RotaryEmbedding turned = rotation.embedding();
    return new Rotation(
        new RotaryEmbedding(
            pairing,
            turned.headWidth(),
            turned.rotaryWidth(),
            turned.base(),
            turned.positionScale()),
        rotation.factors());
  }

  private static float scale(Hyperparameters settings) {
    double width = plainWidth(settings) + turnedWidth(settings);
    double magnitude = 1;
    if (settings.string("rope.scaling.type").orElse("none").equals("yarn")) {
      double factor = settings.positive("rope.scaling.factor").orElse(1.0);
      double ofAll =
          settings.isGguf()
              ? 10 * settings.positive("rope.scaling.yarn_log_multiplier").orElse(0.0)
              : settings.number("rope_scaling.mscale_all_dim").orElse(0.0);
      magnitude = RotarySettings.magnitude(factor, ofAll);
    }
    return (float) (magnitude * magnitude / Math.sqrt(width));
  }

  private static FeedForward feedForward(Hyperparameters settings, int layer) {
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
        settings.isGguf() ? first(settings, "expert_gating_func", 1) == 2 : !isSecond(settings);
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

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames apart =
        new DeepSeekNames(
                settings.isGguf(),
                settings.heads(0),
                plainWidth(settings),
                turnedWidth(settings),
                latentWidth(settings),
                valueWidth(settings))
            .of(queryRank(settings) == 0, isSplit(settings));
    WeightNames names =
        apart.withExpertsInMemory(
            settings,
            "model.layers.{}.mlp",
            settings.optional("expert_feed_forward_length", MOST).orElse(0));
    // What guesses further tokens lies behind the blocks; it only makes generation faster.
    return settings.integers("num_nextn_predict_layers").stream().anyMatch(count -> count > 0)
        ? names.ignoring("model.layers." + settings.blocks() + ".")
        : names;
  }
}
