package dev.kancil.family;

import dev.kancil.graph.op.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Heads of BERT and its kin, of which a checkpoint has some. */
final class EncoderHeads {
  static final String LOGITS = "logits";
  static final String POOLER_OUTPUT = "pooler_output";

  private EncoderHeads() {}

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
   * The same names with the bias of the product with the vocabulary, of which the product may have
   * one of its own, that counts where nothing is tied.
   */
  static WeightNames withOutputBias(
      WeightNames names, Hyperparameters settings, String name, String ofProduct) {
    boolean isOwn =
        settings.hasTensor(ofProduct) && !(settings.isTied(true) && settings.hasTensor(name));
    return names
        .with(WeightName.OUTPUT_BIAS, isOwn ? ofProduct : name)
        .ignoring(isOwn ? name : ofProduct);
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
    if (isOfAnswers(settings)) {
      return List.of(
          linear(from, Encoder.START_LOGITS, WeightName.ANSWER_START, 1, before),
          linear(from, Encoder.END_LOGITS, WeightName.ANSWER_END, 1, before));
    }
    return List.of(linear(from, output, WeightName.CLASSIFIER, classes.getAsInt(), before));
  }

  private static Head linear(
      String from, String output, WeightName weight, int columns, Head.Step... before) {
    List<Head.Step> steps = new ArrayList<>(List.of(before));
    steps.add(new Head.Linear(weight, columns, true));
    return new Head(from, output, steps);
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

  /**
   * The same names with the product that gives classes, of which a model that looks for answers has
   * two: how well one begins at a row, and how well it ends there.
   */
  static WeightNames withClassifier(WeightNames names, String name) {
    WeightPlace place = WeightPlace.named(name);
    return names
        .with(WeightName.CLASSIFIER, place)
        .with(WeightName.ANSWER_START, place.rows(0, 2))
        .with(WeightName.ANSWER_END, place.rows(1, 2));
  }

  /** The same, of the name that most families have. */
  static WeightNames withClassifier(WeightNames names, Hyperparameters settings) {
    return withClassifier(names, isOfAnswers(settings) ? "qa_outputs.weight" : "classifier.weight");
  }

  /** Whether classes are of each row, not of the whole text. */
  static boolean isOfEachRow(Hyperparameters settings) {
    return settings.isClass("ForTokenClassification") || isOfAnswers(settings);
  }

  private static boolean isOfAnswers(Hyperparameters settings) {
    return settings.isClass("ForQuestionAnswering");
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
