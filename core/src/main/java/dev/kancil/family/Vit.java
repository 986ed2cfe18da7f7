package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * ViT (Dosovitskiy et al. 2020), with a pooler, a classifier, or what guesses pixels of patches
 * that it does not see (Xie et al. 2021).
 */
final class Vit implements Family {
  static final String PREFIX = "vit.";

  private static final String MASK = "embeddings.mask_token";
  private static final String DECODER = "decoder.0.weight";
  private static final String PROJECTION = PREFIX + "embeddings.patch_embeddings.projection.";
  private static final WeightPlace CLASS = WeightPlace.named(PREFIX + "embeddings.cls_token");
  private static final WeightPlace PATCH = WeightPlace.named(PROJECTION + "bias");

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
    return new ImageEncoder(
        encoder(settings, grid)
            .withRowHeads(reconstruction(settings))
            .withPooledHeads(Pooling.FIRST, heads),
        grid);
  }

  /** What guesses pixels of patches. */
  private static List<Head> reconstruction(Hyperparameters settings) {
    if (!settings.hasTensor(DECODER)) {
      return List.of();
    }
    int side = settings.required("encoder_stride");
    int pixels =
        Math.multiplyExact(ImageGrid.of(settings).channels(), Math.multiplyExact(side, side));
    return List.of(
        Head.of(ImageEncoder.RECONSTRUCTION, new Head.Linear(WeightName.PROJECTION, pixels, true)));
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
    WeightNames names = encoderNames(settings);
    if (settings.hasTensor(PREFIX + MASK) || settings.hasTensor(MASK)) {
      names =
          names.with(
              WeightName.TOKEN_EMBEDDING,
              WeightPlace.stacked(CLASS, PATCH, WeightPlace.named(PREFIX + MASK)));
    }
    long pixels = settings.rowsOf(DECODER).orElse(1);
    return names
        .with(
            WeightName.PROJECTION,
            WeightPlace.named(DECODER).shaped(pixels, settings.width(), 1, 1))
        .with(WeightName.POOLER, PREFIX + "pooler.dense.weight")
        .with(WeightName.CLASSIFIER, "classifier.weight");
  }

  /** Names of the encoder. */
  static WeightNames encoderNames(Hyperparameters settings) {
    return layerNames(PREFIX, PREFIX + "encoder.layer.{}.")
        .with(WeightName.FINAL_NORM, PREFIX + "layernorm.weight")
        .with(WeightName.TOKEN_EMBEDDING, WeightPlace.stacked(CLASS, PATCH))
        .with(
            WeightName.POSITION_EMBEDDING,
            ImageGrid.positions(PREFIX + "embeddings.position_embeddings", settings))
        .with(
            WeightName.FEATURES,
            convolution(PROJECTION + "weight", ImageGrid.of(settings), settings.width()));
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
