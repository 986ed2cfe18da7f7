package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;

/**
 * The form that BERT and its kin share: learned positions, norms of each sum, biases everywhere,
 * and heads of which a checkpoint has some.
 */
final class PostNormEncoder {
  static final String LOGITS = "logits";
  static final String POOLER_OUTPUT = "pooler_output";

  private PostNormEncoder() {}

  /**
   * The encoder without heads.
   *
   * @param positions rows of the table of position embeddings
   * @param tokenTypes how many kinds of tokens there are
   * @param inner columns of embeddings; 0: as many as the stream has
   * @param attention what is done to the usual attention
   */
  static Encoder of(
      Hyperparameters settings,
      int positions,
      int tokenTypes,
      int inner,
      UnaryOperator<AttentionLayer> attention) {
    Norm norm = Norm.layer(settings.layerNormEpsilon());
    return of(settings, norm, positions, tokenTypes, inner, attention);
  }

  /** The same with this norm. */
  static Encoder of(
      Hyperparameters settings,
      Norm norm,
      int positions,
      int tokenTypes,
      int inner,
      UnaryOperator<AttentionLayer> attention) {
    String kind = "position_embedding_type";
    settings
        .string(kind)
        .filter(type -> !type.equals("absolute"))
        .ifPresent(
            type -> {
              throw settings.unsupported(kind, "is " + type);
            });
    if (settings.flag("is_decoder", false)) {
      throw settings.unsupported("is_decoder", "is true");
    }
    return Encoder.of(
        new Embeddings(settings.width(), 1, positions, norm, tokenTypes, inner),
        settings.eachBlock(
            layer ->
                Block.postNorm(
                    norm,
                    attention.apply(
                        AttentionLayer.of(settings.headsOf(layer))
                            .with(new AttentionLayer.Biases(true, true))
                            .bothWays()),
                    new FeedForward.Plain(
                        settings.activation(Activation.GELU),
                        settings.feedForwardWidth(layer),
                        true))),
        Norm.NONE);
  }

  /**
   * Names as BERT has them.
   *
   * @param prefix of all names but those of heads
   */
  static WeightNames names(String prefix) {
    String embeddings = prefix + "embeddings.";
    String layer = prefix + "encoder.layer.{}.";
    return WeightNames.of(
        prefix,
        Map.ofEntries(
            entry(WeightName.TOKEN_EMBEDDING, embeddings + "word_embeddings.weight"),
            entry(WeightName.POSITION_EMBEDDING, embeddings + "position_embeddings.weight"),
            entry(WeightName.TOKEN_TYPE_EMBEDDING, embeddings + "token_type_embeddings.weight"),
            entry(WeightName.EMBEDDING_NORM, embeddings + "LayerNorm.weight"),
            entry(WeightName.QUERY, layer + "attention.self.query.weight"),
            entry(WeightName.KEY, layer + "attention.self.key.weight"),
            entry(WeightName.VALUE, layer + "attention.self.value.weight"),
            entry(WeightName.ATTENTION_OUTPUT, layer + "attention.output.dense.weight"),
            entry(WeightName.ATTENTION_NORM, layer + "attention.output.LayerNorm.weight"),
            entry(WeightName.UP, layer + "intermediate.dense.weight"),
            entry(WeightName.DOWN, layer + "output.dense.weight"),
            entry(WeightName.FEED_FORWARD_NORM, layer + "output.LayerNorm.weight"),
            entry(WeightName.POOLER, prefix + "pooler.dense.weight")));
  }

  /** The pooler, where the checkpoint has one. */
  static List<Head> pooler(Hyperparameters settings, WeightNames names) {
    List<Head> heads = new ArrayList<>();
    if (has(settings, names, WeightName.POOLER)) {
      heads.add(
          Head.of(
              POOLER_OUTPUT,
              new Head.Linear(WeightName.POOLER, settings.width(), true),
              new Head.Tanh()));
    }
    return heads;
  }

  /**
   * What guesses masked tokens: a layer, its norm, and the vocabulary, tied unless the
   * configuration says otherwise; nothing where the checkpoint has no such layer.
   *
   * @param activation of the layer
   * @param width columns of the layer
   */
  static List<Head> maskedTokens(
      Hyperparameters settings,
      WeightNames names,
      String output,
      Activation activation,
      int width) {
    if (!has(settings, names, WeightName.HEAD_DENSE)) {
      return List.of();
    }
    return List.of(
        Head.of(
            output,
            new Head.Linear(WeightName.HEAD_DENSE, width, true),
            new Head.Activated(activation),
            new Head.Normed(Norm.layer(settings.layerNormEpsilon()), WeightName.HEAD_NORM),
            new Head.Vocabulary(settings.isTied(true))));
  }

  /**
   * A product that gives each class a logit; nothing where the checkpoint has none.
   *
   * @param from the output it begins with; empty: the rows themselves
   * @param before steps before it
   */
  static List<Head> classes(
      Hyperparameters settings, WeightNames names, String from, Head.Step... before) {
    return classes(settings, names, from, LOGITS, before);
  }

  /** The same under another name. */
  static List<Head> classes(
      Hyperparameters settings,
      WeightNames names,
      String from,
      String output,
      Head.Step... before) {
    OptionalInt classes = rows(settings, names, WeightName.CLASSIFIER);
    if (classes.isEmpty()) {
      return List.of();
    }
    List<Head.Step> steps = new ArrayList<>(List.of(before));
    steps.add(new Head.Linear(WeightName.CLASSIFIER, classes.getAsInt(), true));
    return List.of(new Head(from, output, steps));
  }

  /**
   * The same with heads as BERT and ALBERT have them.
   *
   * @param sentences what the logits of the head about two sentences are called; empty if the
   *     checkpoint has none
   * @param width columns of the layer before the vocabulary
   */
  static Encoder withHeads(
      Encoder encoder, Hyperparameters settings, WeightNames names, String sentences, int width) {
    List<Head> rows =
        new ArrayList<>(
            maskedTokens(
                settings,
                names,
                settings.isClass("ForPreTraining") ? "prediction_logits" : LOGITS,
                settings.activation(Activation.GELU),
                width));
    List<Head> pooled = pooler(settings, names);
    if (!sentences.isEmpty()) {
      pooled.addAll(classes(settings, names, POOLER_OUTPUT, sentences));
    } else if (isOfEachRow(settings)) {
      rows.addAll(classes(settings, names, ""));
    } else {
      pooled.addAll(classes(settings, names, POOLER_OUTPUT));
    }
    return encoder.withRowHeads(rows).withPooledHeads(Pooling.FIRST, pooled);
  }

  /** What the product that gives classes is called, unless a family has a name of its own. */
  static String classifier(Hyperparameters settings) {
    return settings.isClass("ForQuestionAnswering") ? "qa_outputs.weight" : "classifier.weight";
  }

  /** Whether classes are of each row, not of the whole text. */
  static boolean isOfEachRow(Hyperparameters settings) {
    return settings.isClass("ForTokenClassification") || settings.isClass("ForQuestionAnswering");
  }

  /** Whether the checkpoint has a weight outside of layers. */
  static boolean has(Hyperparameters settings, WeightNames names, WeightName weight) {
    return rows(settings, names, weight).isPresent();
  }

  private static OptionalInt rows(Hyperparameters settings, WeightNames names, WeightName weight) {
    if (!names.has(weight) || !(names.place(weight) instanceof WeightPlace.Named(String name))) {
      return OptionalInt.empty();
    }
    OptionalInt rows = settings.rowsOf(name);
    return rows.isPresent() || !name.startsWith(names.prefix())
        ? rows
        : settings.rowsOf(name.substring(names.prefix().length()));
  }
}
