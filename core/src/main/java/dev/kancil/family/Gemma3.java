package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import dev.kancil.graph.op.Score;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Gemma 3 (Gemma Team 2025): norms around both parts of a block, normed queries and keys, scaled
 * embeddings, and five of six layers that see a window only, with a rotary base of their own.
 */
final class Gemma3 implements Family {
  private static final int WIDEST_WINDOW = 1 << 24;
  private static final int GLOBAL_EVERY = 6;

  @Override
  public Decoder decoder(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    RotaryEmbedding global = RotarySettings.read(settings, Pairing.HALVES, 1_000_000);
    RotaryEmbedding local =
        new RotaryEmbedding(
            Pairing.HALVES,
            global.headWidth(),
            global.rotaryWidth(),
            settings.positive("rope.freq_base_swa").orElse(10_000.0),
            1);
    int window = settings.optional("attention.sliding_window", WIDEST_WINDOW).orElse(0);
    List<Long> windowed = settings.layers("attention.sliding_window_pattern");
    Score score =
        settings
            .positive("attn_logit_softcapping")
            .map(cap -> Score.softCap(cap.floatValue()))
            .orElse(Score.PLAIN);
    return new Decoder(
        settings.width(),
        (float) Math.sqrt(settings.width()),
        IntStream.range(0, settings.blocks())
            .mapToObj(
                layer -> {
                  boolean isLocal = isLocal(windowed, layer);
                  return Block.sandwichNorm(
                      norm,
                      AttentionLayer.grouped(
                              settings.heads(layer),
                              settings.kvHeads(layer),
                              settings.keyWidth(),
                              settings.valueWidth(),
                              isLocal ? local : global)
                          .withQueryKeyNorm(norm)
                          .withWindow(isLocal ? window : 0)
                          .withScale(scale(settings))
                          .withScore(score),
                      FeedForward.gated(Activation.GELU_TANH, settings.feedForwardWidth(layer)));
                })
            .toList(),
        norm,
        settings.positive("final_logit_softcapping").orElse(0.0).floatValue());
  }

  private static boolean isLocal(List<Long> windowed, int layer) {
    if (windowed.size() > 1) {
      return windowed.get(layer) != 0;
    }
    long every = windowed.isEmpty() ? GLOBAL_EVERY : Math.max(1, windowed.getFirst());
    return (layer + 1) % every != 0;
  }

  /** By the key width; the 27B model alone (62 blocks) scales by the width over the heads. */
  private static float scale(Hyperparameters settings) {
    double width =
        settings.blocks() == 62
            ? (double) settings.width() / settings.heads(0)
            : settings.keyWidth();
    return settings.positive("attention.scale").orElse(1 / Math.sqrt(width)).floatValue();
  }
}
