package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import dev.kancil.graph.op.Score;
import java.util.List;
import java.util.Optional;

/**
 * Gemma 1 to 3 (Gemma Team 2024, 2025): scaled embeddings and norms whose weights are stored less
 * 1. Since Gemma 2 norms stand around both parts of a block and some layers see a window only;
 * Gemma 2 caps scores and logits, Gemma 3 norms queries and keys, and its windowed layers have a
 * rotary base of their own.
 */
final class Gemma implements Family {
  private static final String GEMMA_1 = "gemma";
  private static final String GEMMA_2 = "gemma2";

  @Override
  public List<String> architectures() {
    return List.of(GEMMA_1, GEMMA_2, "gemma3", "gemma3_text");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    String bothWays = "use_bidirectional_attention";
    if (!settings.isGguf() && settings.flag(bothWays, false)) {
      throw settings.unsupported(bothWays, "is true");
    }
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    boolean isThird = settings.architecture().startsWith("gemma3");
    Rotation global = RotarySettings.read(settings, Pairing.HALVES, isThird ? 1_000_000 : 10_000);
    Rotation local =
        isThird
            ? RotarySettings.local(
                settings, global, settings.positive("rope.freq_base_swa").orElse(10_000.0))
            : global;
    boolean isFirst = settings.architecture().equals(GEMMA_1);
    boolean hasBias = settings.hasBias("attention_bias", false);
    return new Decoder(
        new Embeddings(settings.width(), (float) Math.sqrt(settings.width()), 0),
        settings.eachBlock(
            layer -> {
              boolean isLocal = !isFirst && settings.isWindowed(layer, isThird ? 6 : 2);
              AttentionLayer attention =
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(isLocal ? local : global)
                      .with(new AttentionLayer.Biases(hasBias, hasBias))
                      .with(
                          isThird
                              ? AttentionLayer.QueryKeyNorm.ofHeads(norm)
                              : AttentionLayer.QueryKeyNorm.NONE)
                      .withWindow(isLocal ? settings.window() : 0)
                      .withScale(scale(settings))
                      .withScore(isThird ? Score.PLAIN : score(settings));
              FeedForward feedForward =
                  FeedForward.gated(activation(settings), settings.feedForwardWidth(layer));
              return isFirst
                  ? Block.preNorm(norm, attention, feedForward)
                  : Block.sandwichNorm(norm, attention, feedForward);
            }),
        norm,
        new Decoder.Head(
            settings.isTied(true), false, 1, cap(settings, "final_logit_softcapping")));
  }

  private static Activation activation(Hyperparameters settings) {
    Activation usual = Activation.GELU_TANH;
    if (settings.isGguf()) {
      return usual;
    }
    boolean isFirst = settings.architecture().equals(GEMMA_1);
    String key = isFirst ? "hidden_act" : "hidden_activation";
    // What the first releases call gelu was meant to be the approximation.
    boolean isMeant = isFirst && settings.string(key).orElse("").equals("gelu");
    return isMeant ? usual : settings.activation(key, usual);
  }

  private static Score score(Hyperparameters settings) {
    float cap = cap(settings, "attn_logit_softcapping");
    return cap == 0 ? Score.PLAIN : Score.softCap(cap);
  }

  /** 0 where the checkpoint names none. */
  private static float cap(Hyperparameters settings, String key) {
    return settings.positive(key).orElse(0.0).floatValue();
  }

  /** By the key width; the 27B models alone (46 or 62 blocks) by the width over the heads. */
  private static double scale(Hyperparameters settings) {
    Optional<Double> scalar =
        settings.isGguf() ? Optional.empty() : settings.positive("query_pre_attn_scalar");
    boolean isLargest =
        settings.blocks() == 62
            || (settings.blocks() == 46 && settings.architecture().equals(GEMMA_2));
    double width =
        isLargest && settings.isGguf()
            ? (double) settings.width() / settings.heads(0)
            : scalar.orElse((double) settings.keyWidth());
    return settings.positive("attention.scale").orElse(1 / Math.sqrt(width));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames names = WeightNames.of(settings.layout());
    if (settings.isGguf()) {
      return names;
    }
    if (!settings.architecture().equals(GEMMA_1)) {
      names =
          names
              .with(
                  WeightName.POST_ATTENTION_NORM, "model.layers.{}.post_attention_layernorm.weight")
              .with(
                  WeightName.FEED_FORWARD_NORM, "model.layers.{}.pre_feedforward_layernorm.weight")
              .with(
                  WeightName.POST_FEED_FORWARD_NORM,
                  "model.layers.{}.post_feedforward_layernorm.weight");
    }
    for (WeightName norm : WeightName.NORMS) {
      if (names.has(norm)) {
        names = names.with(norm, WeightPlace::plusOne);
      }
    }
    return names;
  }
}
