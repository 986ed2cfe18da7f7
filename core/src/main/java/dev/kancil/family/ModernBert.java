package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Map;

/**
 * ModernBERT (Warner et al. 2024): norms before each part but the first, rotations, gated
 * feed-forward parts, and layers of which most see only what is near. GGUF files have no biases but
 * that of the product that gives classes.
 */
final class ModernBert implements Family {
  /** What GGUF files call it. */
  static final String GGUF = "modern-bert";

  /** GGUF's key for what stands for a text that gets classes. */
  static final String POOLING_OF_CLASSES = "classifier.pooling_type";

  private static final String PREFIX = "model.";
  private static final String LAYER = PREFIX + "layers.{}.";
  private static final WeightNames NAMES =
      WeightNames.of(
          PREFIX,
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, PREFIX + "embeddings.tok_embeddings.weight"),
              entry(WeightName.EMBEDDING_NORM, PREFIX + "embeddings.norm.weight"),
              entry(WeightName.ATTENTION_NORM, LAYER + "attn_norm.weight"),
              entry(WeightName.ATTENTION_OUTPUT, LAYER + "attn.Wo.weight"),
              entry(WeightName.FEED_FORWARD_NORM, LAYER + "mlp_norm.weight"),
              entry(WeightName.DOWN, LAYER + "mlp.Wo.weight"),
              entry(WeightName.FINAL_NORM, PREFIX + "final_norm.weight"),
              entry(WeightName.HEAD_DENSE, "head.dense.weight"),
              entry(WeightName.HEAD_NORM, "head.norm.weight"),
              entry(WeightName.OUTPUT, "decoder.weight"),
              entry(WeightName.OUTPUT_BIAS, "decoder.bias")));
  private static final WeightNames GGUF_NAMES =
      WeightNames.GGUF
          .with(WeightName.HEAD_DENSE, "cls.weight")
          .with(WeightName.HEAD_NORM, "cls.norm.weight")
          .with(WeightName.CLASSIFIER, "cls.output.weight");

  @Override
  public List<String> architectures() {
    return List.of("modernbert", GGUF);
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    RotarySettings.requirePlain(settings, "rope.scaling.type");
    RotarySettings.requirePlain(settings, RotarySettings.LOCAL_SCALING);
    Norm norm = norm(settings);
    Encoder encoder =
        Encoder.of(
            new Embeddings(settings.width(), 1, 0, norm),
            settings.eachBlock(layer -> block(settings, norm, layer)),
            norm);
    WeightNames names = names(settings);
    if (!EncoderHeads.has(settings, names, WeightName.HEAD_DENSE)) {
      return encoder.withPooledHeads(pooling(settings, false), List.of());
    }
    Head.Step[] steps = {
      new Head.Linear(
          WeightName.HEAD_DENSE, settings.width(), settings.flag("classifier_bias", false)),
      new Head.Activated(settings.activation("classifier_activation", Activation.GELU)),
      new Head.Normed(norm, WeightName.HEAD_NORM)
    };
    if (!EncoderHeads.has(settings, names, WeightName.CLASSIFIER)) {
      return encoder.withRowHeads(
          List.of(
              new Head(
                  "",
                  EncoderHeads.LOGITS,
                  List.of(
                      steps[0], steps[1], steps[2], new Head.Vocabulary(settings.isTied(true))))));
    }
    List<Head> classes = EncoderHeads.classes(settings, names, "", steps);
    return EncoderHeads.isOfEachRow(settings)
        ? encoder.withRowHeads(classes)
        : encoder.withPooledHeads(pooling(settings, true), classes);
  }

  private static Norm norm(Hyperparameters settings) {
    return new Norm.Layer(settings.layerNormEpsilon(), true, settings.flag("norm_bias", false));
  }

  /**
   * What stands for a text.
   *
   * @param isOfClasses whether it gets classes, for which it may be something else
   */
  private static Pooling pooling(Hyperparameters settings, boolean isOfClasses) {
    if (settings.isGguf()) {
      return isOfClasses ? Bert.pooling(settings, POOLING_OF_CLASSES) : Bert.pooling(settings);
    }
    return !isOfClasses || settings.string("classifier_pooling").orElse("cls").equals("mean")
        ? Pooling.MEAN
        : Pooling.FIRST;
  }

  private static Block block(Hyperparameters settings, Norm norm, int layer) {
    boolean isLocal = isLocal(settings, layer);
    Heads heads = settings.headsOf(layer);
    boolean hasBias = settings.flag("attention_bias", false);
    double global = settings.positive("rope.freq_base").orElse(160_000.0);
    double near =
        settings.positive("rope.freq_base_swa").orElse(settings.isGguf() ? 10_000.0 : global);
    double base = isLocal ? near : global;
    Rotation rotation =
        new Rotation(
            new RotaryEmbedding(Pairing.HALVES, heads.keyWidth(), heads.keyWidth(), base, 1));
    AttentionLayer attention =
        AttentionLayer.of(heads)
            .with(rotation)
            .with(new AttentionLayer.Biases(hasBias, hasBias))
            .withWindow(isLocal ? distance(settings) : 0)
            .bothWays();
    FeedForward feedForward =
        new FeedForward.Gated(
            settings.isGguf()
                ? settings.activation("hidden_activation", Activation.GELU)
                : settings.activation(Activation.GELU),
            settings.feedForwardWidth(layer),
            settings.flag("mlp_bias", false));
    // Embeddings are normed already.
    return Block.preNorm(norm, attention, feedForward)
        .withAttentionNorm(layer == 0 ? Norm.NONE : norm);
  }

  private static int distance(Hyperparameters settings) {
    return settings.isGguf()
        ? settings.windowIfUsed() / 2
        : settings.optional("local_attention", 1 << 24).orElse(128) / 2;
  }

  private static boolean isLocal(Hyperparameters settings, int layer) {
    if (settings.isGguf()) {
      List<Long> windowed = settings.layers("attention.sliding_window_pattern");
      if (windowed.size() > 1) {
        return windowed.get(layer) != 0;
      }
      long period = windowed.isEmpty() ? 3 : windowed.getFirst();
      return settings.windowIfUsed() > 0 && (period == 0 || layer % period != 0);
    }
    List<String> types = settings.layerTypes();
    if (!types.isEmpty()) {
      return types.get(layer).equals("sliding_attention");
    }
    return layer % settings.optional("global_attn_every_n_layers", 1 << 16).orElse(3) != 0;
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    if (settings.isGguf()) {
      return GGUF_NAMES
          .withFusedAttention("blk.{}.attn_qkv.weight", settings.headsOf(0))
          .withFusedGate("blk.{}.ffn_up.weight", settings.feedForwardWidth(0));
    }
    return EncoderHeads.withClassifier(NAMES, "classifier.weight")
        .withFusedAttention(LAYER + "attn.Wqkv.weight", settings.headsOf(0))
        .withFusedGate(LAYER + "mlp.Wi.weight", settings.feedForwardWidth(0));
  }
}
