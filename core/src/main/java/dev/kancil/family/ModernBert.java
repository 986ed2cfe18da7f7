package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.RotaryEmbedding.Pairing;
import java.util.List;
import java.util.Map;

/**
 * ModernBERT (Warner et al. 2024): norms before each part but the first, rotations, gated
 * feed-forward parts, and layers of which most see only what is near.
 */
final class ModernBert implements Family {
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

  @Override
  public List<String> architectures() {
    return List.of("modernbert");
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
    if (!settings.hasTensor("head.dense.weight")) {
      return encoder;
    }
    Head.Step[] steps = {
      new Head.Linear(
          WeightName.HEAD_DENSE, settings.width(), settings.flag("classifier_bias", false)),
      new Head.Activated(settings.activation("classifier_activation", Activation.GELU)),
      new Head.Normed(norm, WeightName.HEAD_NORM)
    };
    if (!settings.hasTensor("classifier.weight")) {
      return encoder.withRowHeads(
          List.of(
              new Head(
                  "",
                  EncoderHeads.LOGITS,
                  List.of(
                      steps[0], steps[1], steps[2], new Head.Vocabulary(settings.isTied(true))))));
    }
    List<Head> classes = EncoderHeads.classes(settings, names(settings), "", steps);
    return EncoderHeads.isOfEachRow(settings)
        ? encoder.withRowHeads(classes)
        : encoder.withPooledHeads(pooling(settings), classes);
  }

  private static Norm norm(Hyperparameters settings) {
    return new Norm.Layer(settings.layerNormEpsilon(), true, settings.flag("norm_bias", false));
  }

  private static Pooling pooling(Hyperparameters settings) {
    return settings.string("classifier_pooling").orElse("cls").equals("mean")
        ? Pooling.MEAN
        : Pooling.FIRST;
  }

  private static Block block(Hyperparameters settings, Norm norm, int layer) {
    boolean isLocal = isLocal(settings, layer);
    Heads heads = settings.headsOf(layer);
    boolean hasBias = settings.flag("attention_bias", false);
    double global = settings.positive("rope.freq_base").orElse(160_000.0);
    double base = isLocal ? settings.positive("rope.freq_base_swa").orElse(global) : global;
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
            settings.activation(Activation.GELU),
            settings.feedForwardWidth(layer),
            settings.flag("mlp_bias", false));
    // Embeddings are normed already.
    return Block.preNorm(norm, attention, feedForward)
        .withAttentionNorm(layer == 0 ? Norm.NONE : norm);
  }

  private static int distance(Hyperparameters settings) {
    return settings.optional("local_attention", 1 << 24).orElse(128) / 2;
  }

  private static boolean isLocal(Hyperparameters settings, int layer) {
    List<String> types = settings.layerTypes();
    if (!types.isEmpty()) {
      return types.get(layer).equals("sliding_attention");
    }
    return layer % settings.optional("global_attn_every_n_layers", 1 << 16).orElse(3) != 0;
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return EncoderHeads.withClassifier(NAMES, "classifier.weight")
        .withFusedAttention(LAYER + "attn.Wqkv.weight", settings.headsOf(0))
        .withFusedGate(LAYER + "mlp.Wi.weight", settings.feedForwardWidth(0));
  }
}
