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
  private static final Map<String, Object> USUAL_TEXT =
      Map.of(
          "hidden_size", 512L,
          "num_hidden_layers", 12L,
          "num_attention_heads", 8L,
          "intermediate_size", 2048L,
          "max_position_embeddings", 77L,
          "layer_norm_eps", 1e-5,
          "eos_token_id", 49407L);
  private static final Map<String, Object> USUAL_VISION =
      Map.of(
          "hidden_size", 768L,
          "num_hidden_layers", 12L,
          "num_attention_heads", 12L,
          "intermediate_size", 3072L,
          "layer_norm_eps", 1e-5,
          "image_size", 224L,
          "patch_size", 32L);

  /** The end that configurations have by mistake, for which the largest id counts. */
  private static final long WRONG_END = 2;

  @Override
  public List<String> architectures() {
    return List.of("clip", "clip_text_model", "clip_vision_model");
  }

  private static boolean isBoth(Hyperparameters settings) {
    return settings.architecture().equals("clip");
  }

  private static Hyperparameters text(Hyperparameters settings) {
    return settings.part(isBoth(settings) ? "text_config" : "", USUAL_TEXT);
  }

  private static Hyperparameters vision(Hyperparameters settings) {
    return settings.part(isBoth(settings) ? "vision_config" : "", USUAL_VISION);
  }

  @Override
  public Transformer transformer(Hyperparameters settings) {
    return switch (settings.architecture()) {
      case "clip_text_model" -> texts(text(settings), Optional.empty());
      case "clip_vision_model" -> images(vision(settings), "");
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
    ImageGrid grid = ImageGrid.of(settings);
    String pooler = stem + PostNormEncoder.POOLER_OUTPUT;
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
    return settings.architecture().equals("clip_vision_model")
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
        .with(WeightName.POSITION_EMBEDDING, embeddings + "position_embedding.weight")
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
