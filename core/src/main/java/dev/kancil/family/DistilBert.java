package dev.kancil.family;

import static java.util.Map.entry;

import dev.kancil.graph.op.Activation;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * DistilBERT (Sanh et al. 2019): the form of BERT, without kinds of tokens and without a pooler.
 */
final class DistilBert implements Family {
  private static final String PREFIX = "distilbert.";
  private static final String EMBEDDINGS = PREFIX + "embeddings.";
  private static final String LAYER = PREFIX + "transformer.layer.{}.";
  private static final Norm NORM = Norm.layer(1e-12f);
  private static final WeightNames NAMES =
      WeightNames.of(
          PREFIX,
          Map.ofEntries(
              entry(WeightName.TOKEN_EMBEDDING, EMBEDDINGS + "word_embeddings.weight"),
              entry(WeightName.POSITION_EMBEDDING, EMBEDDINGS + "position_embeddings.weight"),
              entry(WeightName.EMBEDDING_NORM, EMBEDDINGS + "LayerNorm.weight"),
              entry(WeightName.QUERY, LAYER + "attention.q_lin.weight"),
              entry(WeightName.KEY, LAYER + "attention.k_lin.weight"),
              entry(WeightName.VALUE, LAYER + "attention.v_lin.weight"),
              entry(WeightName.ATTENTION_OUTPUT, LAYER + "attention.out_lin.weight"),
              entry(WeightName.ATTENTION_NORM, LAYER + "sa_layer_norm.weight"),
              entry(WeightName.UP, LAYER + "ffn.lin1.weight"),
              entry(WeightName.DOWN, LAYER + "ffn.lin2.weight"),
              entry(WeightName.FEED_FORWARD_NORM, LAYER + "output_layer_norm.weight"),
              entry(WeightName.HEAD_NORM, "vocab_layer_norm.weight"),
              entry(WeightName.OUTPUT, "vocab_projector.weight"),
              entry(WeightName.OUTPUT_BIAS, "vocab_projector.bias")));

  @Override
  public List<String> architectures() {
    return List.of("distilbert");
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    int width = settings.width();
    Encoder encoder =
        PostNormEncoder.of(
            settings, NORM, settings.contextLength(), 0, 0, UnaryOperator.identity());
    if (settings.hasTensor("pre_classifier.weight")) {
      return encoder.withPooledHeads(
          Pooling.FIRST,
          EncoderHeads.classes(
              settings,
              names(settings),
              "",
              new Head.Linear(WeightName.HEAD_DENSE, width, true),
              new Head.Activated(Activation.RELU)));
    }
    if (settings.hasTensor("vocab_transform.weight")) {
      return encoder.withRowHeads(
          List.of(
              Head.of(
                  EncoderHeads.LOGITS,
                  new Head.Linear(WeightName.HEAD_DENSE, width, true),
                  new Head.Activated(settings.activation(Activation.GELU)),
                  new Head.Normed(NORM, WeightName.HEAD_NORM),
                  new Head.Vocabulary(settings.isTied(true)))));
    }
    return encoder.withRowHeads(EncoderHeads.classes(settings, names(settings), ""));
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    String dense =
        settings.hasTensor("pre_classifier.weight")
            ? "pre_classifier.weight"
            : "vocab_transform.weight";
    return EncoderHeads.withClassifier(NAMES.with(WeightName.HEAD_DENSE, dense), settings);
  }
}
