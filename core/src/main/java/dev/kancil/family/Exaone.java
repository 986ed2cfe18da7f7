package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;

/**
 * EXAONE 4 (LG AI Research 2025): norms behind each part instead of before it, and norms of each
 * head's queries and keys. Where some layers see a window, the others turn nothing.
 */
final class Exaone implements Family {
  /** Blocks of the 32B model, whose GGUF files alone have windows. */
  private static final int WINDOWED_BLOCKS = 64;

  private static final int USUAL_WINDOW = 4096;

  @Override
  public List<String> architectures() {
    return List.of("exaone4");
  }

  @Override
  public Decoder transformer(Hyperparameters settings) {
    Norm norm = Norm.rms(settings.rmsNormEpsilon());
    Rotation rotation = RotarySettings.read(settings, Pairing.HALVES, 10_000);
    int window = window(settings);
    return new Decoder(
        Embeddings.of(settings.width()),
        settings.eachBlock(
            layer -> {
              boolean isWindowed = window > 0 && settings.isWindowed(layer, 4);
              AttentionLayer attention =
                  AttentionLayer.of(settings.headsOf(layer))
                      .with(AttentionLayer.QueryKeyNorm.ofHeads(norm))
                      .withWindow(isWindowed ? window : 0);
              return Block.normedChanges(
                  norm,
                  window == 0 || isWindowed ? attention.with(rotation) : attention,
                  FeedForward.gated(
                      settings.activation(Activation.SILU), settings.feedForwardWidth(layer)));
            }),
        norm,
        Decoder.Head.of(settings.isTied(false)));
  }

  private static int window(Hyperparameters settings) {
    int window = settings.windowIfUsed();
    if (!settings.isGguf()) {
      return window;
    }
    int usual = window > 0 ? window : USUAL_WINDOW;
    return settings.blocks() == WINDOWED_BLOCKS ? usual : 0;
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    WeightNames usual = WeightNames.usual(settings);
    return settings.isGguf()
        ? usual
        : usual
            .with(WeightName.POST_ATTENTION_NORM, "model.layers.{}.post_attention_layernorm.weight")
            .with(
                WeightName.POST_FEED_FORWARD_NORM,
                "model.layers.{}.post_feedforward_layernorm.weight");
  }
}
