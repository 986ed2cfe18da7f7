package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** ViT (Dosovitskiy et al. 2020), with a pooler or a classifier. */
final class Vit implements Family {
  static final String PREFIX = "vit.";

  @Override
  public List<String> architectures() {
    return List.of("vit");
  }

  @Override
  public ImageEncoder transformer(Hyperparameters settings) {
    ImageGrid grid = ImageGrid.asked(settings);
    WeightNames names = names(settings);
    List<Head> heads = new ArrayList<>();
    if (EncoderHeads.has(settings, names, WeightName.POOLER)) {
      int columns = settings.optional("pooler_output_size", 1 << 20).orElseGet(settings::width);
      heads.add(
          Head.of(
              EncoderHeads.POOLER_OUTPUT,
              new Head.Linear(WeightName.POOLER, columns, true),
              poolerActivation(settings)));
    }
    heads.addAll(EncoderHeads.classes(settings, names, ""));
    return new ImageEncoder(encoder(settings, grid).withPooledHeads(Pooling.FIRST, heads), grid);
  }

  private static Head.Step poolerActivation(Hyperparameters settings) {
    String key = "pooler_act";
    return settings.string(key).orElse("tanh").equals("tanh")
        ? new Head.Tanh()
        : new Head.Activated(settings.activation(key, Activation.GELU));
  }

  /** The encoder without heads. */
  static Encoder encoder(Hyperparameters settings, ImageGrid grid) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    return Encoder.of(
        embeddings(settings.width(), grid.patches() + 1, Norm.NONE, grid.features()),
        settings.eachBlock(
            layer -> block(settings, settings.headsOf(layer), settings.feedForwardWidth(layer))),
        norm);
  }

  /** Embeddings of rows that features are brought for. */
  static Embeddings embeddings(int width, int positions, Norm norm, int features) {
    return new Embeddings(width, 1, positions, norm, 0, Embeddings.Inner.NONE, features);
  }

  /** A block of this form. */
  static Block block(Hyperparameters settings, Heads heads, int feedForwardWidth) {
    return Block.preNorm(
        Norm.layer(settings.layerNormEpsilon()),
        AttentionLayer.of(heads)
            .with(new AttentionLayer.Biases(settings.flag("qkv_bias", true), true))
            .bothWays(),
        new FeedForward.Plain(settings.activation(Activation.GELU), feedForwardWidth, true));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return encoderNames(settings)
        .with(WeightName.POOLER, PREFIX + "pooler.dense.weight")
        .with(WeightName.CLASSIFIER, "classifier.weight");
  }

  /** Names of the encoder. */
  static WeightNames encoderNames(Hyperparameters settings) {
    String embeddings = PREFIX + "embeddings.";
    String projection = embeddings + "patch_embeddings.projection.";
    return layerNames(PREFIX, PREFIX + "encoder.layer.{}.")
        .with(WeightName.FINAL_NORM, PREFIX + "layernorm.weight")
        .with(
            WeightName.TOKEN_EMBEDDING,
            WeightPlace.stacked(
                WeightPlace.named(embeddings + "cls_token"),
                WeightPlace.named(projection + "bias")))
        .with(
            WeightName.POSITION_EMBEDDING,
            ImageGrid.positions(embeddings + "position_embeddings", settings))
        .with(
            WeightName.FEATURES,
            convolution(projection + "weight", ImageGrid.of(settings), settings.width()));
  }

  /** A convolution's weight, as what a patch's pixels are multiplied by. */
  static WeightPlace convolution(String name, ImageGrid grid, int width) {
    return WeightPlace.named(name)
        .shaped(width, grid.channels(), grid.patchHeight(), grid.patchWidth());
  }

  /** Names of blocks. */
  static WeightNames layerNames(String prefix, String layer) {
    return WeightNames.of(
        prefix,
        Map.ofEntries(
            entry(WeightName.ATTENTION_NORM, layer + "layernorm_before.weight"),
            entry(WeightName.QUERY, layer + "attention.attention.query.weight"),
            entry(WeightName.KEY, layer + "attention.attention.key.weight"),
            entry(WeightName.VALUE, layer + "attention.attention.value.weight"),
            entry(WeightName.ATTENTION_OUTPUT, layer + "attention.output.dense.weight"),
            entry(WeightName.FEED_FORWARD_NORM, layer + "layernorm_after.weight"),
            entry(WeightName.UP, layer + "intermediate.dense.weight"),
            entry(WeightName.DOWN, layer + "output.dense.weight")));
  }
}
