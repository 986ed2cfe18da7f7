package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.stream.IntStream;

/**
 * gpt-oss (OpenAI 2025): sinks, a window in every other layer, biases everywhere, and experts whose
 * gate is clamped. Configurations' checkpoints have rows of gate and up in turn, either [in, out]
 * or in blocks of MXFP4.
 */
final class GptOss implements Family {
  /** What GGUF files call it. */
  static final String GGUF = "gpt-oss";

  private static final String EXPERTS = "model.layers.{}.mlp.experts.";

  @Override
  public List<String> architectures() {
    return List.of(GGUF, "gpt_oss");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 150_000);
    boolean hasBias = settings.isGguf() || settings.flag("attention_bias", true);
    return new Decoder(
        Embeddings.of(settings.width()),
        IntStream.range(0, settings.blocks())
            .mapToObj(
                layer ->
                    Block.preNorm(
                        norm,
                        AttentionLayer.of(settings.headsOf(layer))
                            .with(rotation)
                            .with(new AttentionLayer.Biases(hasBias, hasBias))
                            .withWindow(settings.isWindowed(layer, 2) ? settings.window() : 0)
                            .withSinks(),
                        experts(settings)))
            .toList(),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  private static FeedForward experts(Hyperparameters settings) {
    String sharpness = "swiglu_alpha";
    double alpha = settings.number(sharpness).orElse((double) Activation.QUICK_FACTOR);
    if ((float) alpha != Activation.QUICK_FACTOR) {
      throw settings.unsupported(sharpness, "is " + alpha + ", not " + Activation.QUICK_FACTOR);
    }
    MoeRoute route =
        new MoeRoute(settings.required("expert_used_count"), MoeRoute.Scoring.SOFTMAX, true, 1);
    return new FeedForward.ClampedExperts(
        Activation.QUICK_GELU,
        settings.positive("swiglu_limit").orElse(7.0).floatValue(),
        settings.required("expert_count"),
        width(settings),
        route);
  }

  private static int width(Hyperparameters settings) {
    return settings.isGguf()
        ? settings.required("expert_feed_forward_length")
        : settings.feedForwardWidth(0);
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames names = WeightNames.of(settings.layout());
    if (settings.isGguf()) {
      return names.with(WeightName.FEED_FORWARD_NORM, "blk.{}.post_attention_norm.weight");
    }
    long experts = settings.required("expert_count");
    long width = width(settings);
    WeightPlace rows =
        matrices(settings, "gate_up_proj").shaped(experts, 2 * width, settings.width());
    WeightPlace biases =
        WeightPlace.named(EXPERTS + "gate_up_proj_bias").shaped(experts, 2 * width);
    return names
        .with(WeightName.ROUTER, "model.layers.{}.mlp.router.weight")
        .with(
            WeightName.EXPERTS_GATE,
            rows.rowsOfGroups(0, 1, 2).shaped(experts * width, settings.width()))
        .with(
            WeightName.EXPERTS_UP,
            rows.rowsOfGroups(1, 1, 2).shaped(experts * width, settings.width()))
        .with(WeightName.EXPERTS_DOWN, matrices(settings, "down_proj"))
        .with(WeightName.EXPERTS_GATE_BIAS, biases.rowsOfGroups(0, 1, 2).shaped(experts * width))
        .with(WeightName.EXPERTS_UP_BIAS, biases.rowsOfGroups(1, 1, 2).shaped(experts * width))
        .with(WeightName.EXPERTS_DOWN_BIAS, EXPERTS + "down_proj_bias");
  }

  private static WeightPlace matrices(Hyperparameters settings, String name) {
    boolean isPacked =
        settings.string("quantization_config.quant_method").orElse("").equals("mxfp4");
    return isPacked
        ? WeightPlace.microscaled(EXPERTS + name + "_blocks", EXPERTS + name + "_scales")
        : WeightPlace.named(EXPERTS + name).transposed();
  }
}
