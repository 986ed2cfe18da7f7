package dev.kancil.family;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * ALBERT (Lan et al. 2019): the form of BERT with narrower embeddings, whose layers have all the
 * same weights.
 */
final class Albert implements Family {
  private static final String PREFIX = "albert.";
  private static final String LAYER = PREFIX + "encoder.albert_layer_groups.0.albert_layers.0.";
  private static final String ORDER = "sop_classifier.classifier.weight";
  private static final WeightNames NAMES =
      PostNormEncoder.names(PREFIX)
          .with(
              WeightName.EMBEDDING_WIDENING, PREFIX + "encoder.embedding_hidden_mapping_in.weight")
          .with(WeightName.QUERY, LAYER + "attention.query.weight")
          .with(WeightName.KEY, LAYER + "attention.key.weight")
          .with(WeightName.VALUE, LAYER + "attention.value.weight")
          .with(WeightName.ATTENTION_OUTPUT, LAYER + "attention.dense.weight")
          .with(WeightName.ATTENTION_NORM, LAYER + "attention.LayerNorm.weight")
          .with(WeightName.UP, LAYER + "ffn.weight")
          .with(WeightName.DOWN, LAYER + "ffn_output.weight")
          .with(WeightName.FEED_FORWARD_NORM, LAYER + "full_layer_layer_norm.weight")
          .with(WeightName.POOLER, PREFIX + "pooler.weight")
          .with(WeightName.HEAD_DENSE, "predictions.dense.weight")
          .with(WeightName.HEAD_NORM, "predictions.LayerNorm.weight")
          .with(WeightName.OUTPUT, "predictions.decoder.weight")
          .with(WeightName.OUTPUT_BIAS, "predictions.bias");

  @Override
  public List<String> architectures() {
    return List.of("albert");
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    for (String key : List.of("num_hidden_groups", "inner_group_num")) {
      int count = settings.optional(key, 1 << 16).orElse(1);
      if (count != 1) {
        throw settings.unsupported(key, "is " + count);
      }
    }
    int inner = settings.optional("embedding_size", 1 << 20).orElse(128);
    Encoder encoder =
        PostNormEncoder.of(
            settings,
            settings.contextLength(),
            settings.optional("type_vocab_size", 1 << 20).orElse(2),
            inner,
            UnaryOperator.identity());
    String order = settings.hasTensor(ORDER) ? "sop_logits" : "";
    return EncoderHeads.withHeads(encoder, settings, names(settings), order, inner);
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    if (settings.hasTensor(ORDER)) {
      return NAMES.with(WeightName.CLASSIFIER, ORDER);
    }
    return EncoderHeads.withClassifier(NAMES, settings);
  }
}
