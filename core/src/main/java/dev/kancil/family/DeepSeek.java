package dev.kancil.family;

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
                        DeepSeekExperts.feedForward(settings, layer)))
            .toList(),
        norm,
        Decoder.Head.of(settings.isTied(false)));
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
    return DeepSeekExperts.names(apart, settings);
  }
}
