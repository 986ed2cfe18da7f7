package dev.kancil.family;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * ALBERT (Lan et al. 2019): the form of BERT with narrower embeddings, whose layers share the
 * weights of one group, or of a few.
 */
final class Albert implements Family {
  private static final String PREFIX = "albert.";
  private static final int MOST = 1 << 8;
  private static final String ORDER = "sop_classifier.classifier.weight";
  private static final WeightNames NAMES =
      PostNormEncoder.names(PREFIX)
          .with(
              WeightName.EMBEDDING_WIDENING, PREFIX + "encoder.embedding_hidden_mapping_in.weight")
          .with(WeightName.POOLER, PREFIX + "pooler.weight")
          .with(WeightName.HEAD_DENSE, "predictions.dense.weight")
          .with(WeightName.HEAD_NORM, "predictions.LayerNorm.weight")
          .with(WeightName.OUTPUT, "predictions.decoder.weight");
  private static final Map<WeightName, String> LAYER =
      Map.of(
          WeightName.QUERY, "attention.query.weight",
          WeightName.KEY, "attention.key.weight",
          WeightName.VALUE, "attention.value.weight",
          WeightName.ATTENTION_OUTPUT, "attention.dense.weight",
          WeightName.ATTENTION_NORM, "attention.LayerNorm.weight",
          WeightName.UP, "ffn.weight",
          WeightName.DOWN, "ffn_output.weight",
          WeightName.FEED_FORWARD_NORM, "full_layer_layer_norm.weight");

  @Override
  public List<String> architectures() {
    return List.of("albert");
  }

  @Override
  public Encoder transformer(Hyperparameters settings) {
    int inner = settings.optional("embedding_size", 1 << 20).orElse(128);
    Encoder encoder =
        PostNormEncoder.of(
            settings,
            settings.contextLength(),
            settings.optional("type_vocab_size", 1 << 20).orElse(2),
            inner,
            UnaryOperator.identity());
    // A layer is several blocks.
    List<Block> blocks =
        Collections.nCopies(layerNames(settings).size(), encoder.blocks().getFirst());
    encoder = Encoder.of(encoder.embeddings(), blocks, encoder.finalNorm());
    String order = settings.hasTensor(ORDER) ? "sop_logits" : "";
    return EncoderHeads.withHeads(encoder, settings, names(settings), order, inner);
  }

  /** What names of a block's weights begin with: layers that follow each other share a group's. */
  private static List<String> layerNames(Hyperparameters settings) {
    int groups = settings.optional("num_hidden_groups", settings.blocks()).orElse(1);
    int inner = settings.optional("inner_group_num", MOST).orElse(1);
    double layersOfGroup = (double) settings.blocks() / groups;
    List<String> names = new ArrayList<>();
    for (int layer = 0; layer < settings.blocks(); layer++) {
      for (int i = 0; i < inner; i++) {
        names.add(
            PREFIX
                + "encoder.albert_layer_groups.%d.albert_layers.%d."
                    .formatted((int) (layer / layersOfGroup), i));
      }
    }
    return names;
  }

  @Override
  public WeightNames names(Hyperparameters settings) {
    List<String> layers = layerNames(settings);
    WeightNames names =
        EncoderHeads.withOutputBias(
            NAMES, settings, "predictions.bias", "predictions.decoder.bias");
    for (Map.Entry<WeightName, String> weight : LAYER.entrySet()) {
      names =
          names.with(
              weight.getKey(),
              new WeightPlace.ByLayer(
                  layers.stream()
                      .map(layer -> WeightPlace.named(layer + weight.getValue()))
                      .toList()));
    }
    return settings.hasTensor(ORDER)
        ? names.with(WeightName.CLASSIFIER, ORDER)
        : EncoderHeads.withClassifier(names, settings);
  }
}
