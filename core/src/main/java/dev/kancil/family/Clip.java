package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** CLIP (Radford et al. 2021), and each of its encoders alone. */
final class Clip implements Family {
  private static final String TEXT = "text_model.";
  private static final String VISION = "vision_model.";
  private static final String TEXT_KIND = "clip_text_model";
  private static final String VISION_KIND = "clip_vision_model";

  /** The end that configurations have by mistake, for which the largest id counts. */
  private static final long WRONG_END = 2;

  @Override
  public List<String> architectures() {
    return List.of("clip", TEXT_KIND, VISION_KIND);
  }

  private static boolean isBoth(Hyperparameters settings) {
    return settings.architecture().equals("clip");
  }

  private static Hyperparameters text(Hyperparameters settings) {
    return isBoth(settings) ? settings.part("text_config", TEXT_KIND) : settings;
  }

  private static Hyperparameters vision(Hyperparameters settings) {
    return isBoth(settings) ? settings.part("vision_config", VISION_KIND) : settings;
  }

  @Override
  public Transformer transformer(Hyperparameters settings) {
    return switch (settings.architecture()) {
      case TEXT_KIND -> texts(text(settings), Optional.empty());
      case VISION_KIND -> images(vision(settings), "");
      default ->
          texts(
              text(settings),
              Optional.of(
                  new ContrastiveEncoders.Images(
                      images(vision(settings), "vision."), visionNames(vision(settings)))));
    };
  }

  private static ContrastiveEncoders texts(
      Hyperparameters settings, Optional<ContrastiveEncoders.Images> images) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    Encoder encoder =
        Encoder.of(
                new Embeddings(settings.width(), 1, settings.contextLength()),
                settings.eachBlock(layer -> block(settings, layer, attention(settings, layer))),
                norm)
            .withPooledHeads(
                Pooling.FIRST,
                projection(
                    settings, "text_projection.weight", "", ContrastiveEncoders.TEXT_EMBEDDINGS));
    long end = settings.integers("eos_token_id").stream().findFirst().orElse(WRONG_END);
    return new ContrastiveEncoders(
        encoder,
        end == WRONG_END ? OptionalInt.empty() : OptionalInt.of(Math.toIntExact(end)),
        images);
  }

  /**
   * @param stem what the names of outputs begin with
   */
  private static ImageEncoder images(Hyperparameters settings, String stem) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    ImageGrid grid = ImageGrid.asked(settings);
    String pooler = stem + EncoderHeads.POOLER_OUTPUT;
    List<Head> heads = new ArrayList<>();
    heads.add(Head.of(pooler, new Head.Normed(norm, WeightName.HEAD_NORM)));
    heads.addAll(
        projection(
            settings, "visual_projection.weight", pooler, ContrastiveEncoders.IMAGE_EMBEDDINGS));
    Encoder encoder =
        Encoder.of(
                Vit.embeddings(settings.width(), grid.patches() + 1, norm, grid.features()),
                settings.eachBlock(
                    layer -> block(settings, layer, attention(settings, layer).bothWays())),
                Norm.NONE)
            .withPooledHeads(Pooling.FIRST, heads);
    return new ImageEncoder(encoder, grid);
  }

  private static AttentionLayer attention(Hyperparameters settings, int layer) {
    return AttentionLayer.of(settings.headsOf(layer)).with(new AttentionLayer.Biases(true, true));
  }

  private static Block block(Hyperparameters settings, int layer, AttentionLayer attention) {
    return Block.preNorm(
        Norm.layer(settings.layerNormEpsilon()),
        attention,
        new FeedForward.Plain(
            settings.activation(Activation.QUICK_GELU), settings.feedForwardWidth(layer), true));
  }

  private static List<Head> projection(
      Hyperparameters settings, String name, String from, String output) {
    OptionalInt columns = settings.rowsOf(name);
    return columns.isEmpty()
        ? List.of()
        : List.of(
            new Head(
                from,
                output,
                List.of(new Head.Linear(WeightName.PROJECTION, columns.getAsInt(), false))));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    return settings.architecture().equals(VISION_KIND)
        ? visionNames(vision(settings))
        : layerNames(TEXT)
            .with(WeightName.TOKEN_EMBEDDING, TEXT + "embeddings.token_embedding.weight")
            .with(WeightName.POSITION_EMBEDDING, TEXT + "embeddings.position_embedding.weight")
            .with(WeightName.FINAL_NORM, TEXT + "final_layer_norm.weight")
            .with(WeightName.PROJECTION, "text_projection.weight")
            .with(WeightName.LOGIT_SCALE, "logit_scale");
  }

  private static WeightNames visionNames(Hyperparameters settings) {
    String embeddings = VISION + "embeddings.";
    return layerNames(VISION)
        .with(
            WeightName.TOKEN_EMBEDDING,
            WeightPlace.stacked(
                WeightPlace.named(embeddings + "class_embedding"), new WeightPlace.Zeros()))
        .with(
            WeightName.FEATURES,
            Vit.convolution(
                embeddings + "patch_embedding.weight", ImageGrid.of(settings), settings.width()))
        .with(
            WeightName.POSITION_EMBEDDING,
            ImageGrid.positions(embeddings + "position_embedding.weight", settings))
        // Spelled so.
        .with(WeightName.EMBEDDING_NORM, VISION + "pre_layrnorm.weight")
        .with(WeightName.HEAD_NORM, VISION + "post_layernorm.weight")
        .with(WeightName.PROJECTION, "visual_projection.weight");
  }

  private static WeightNames layerNames(String prefix) {
    String layer = prefix + "encoder.layers.{}.";
    return WeightNames.of(
        prefix,
        Map.ofEntries(
            entry(WeightName.ATTENTION_NORM, layer + "layer_norm1.weight"),
            entry(WeightName.QUERY, layer + "self_attn.q_proj.weight"),
            entry(WeightName.KEY, layer + "self_attn.k_proj.weight"),
            entry(WeightName.VALUE, layer + "self_attn.v_proj.weight"),
            entry(WeightName.ATTENTION_OUTPUT, layer + "self_attn.out_proj.weight"),
            entry(WeightName.FEED_FORWARD_NORM, layer + "layer_norm2.weight"),
            entry(WeightName.UP, layer + "mlp.fc1.weight"),
            entry(WeightName.DOWN, layer + "mlp.fc2.weight")));
  }
}
