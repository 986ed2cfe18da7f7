package dev.kancil.family;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SoftCap;
import java.util.List;

/** Turns a declared decoder into a graph of primitives. */
final class DecoderGraph {
  /** The output. */
  static final String LOGITS = "logits";

  /** What rows are called at last, before the head. */
  static final String ROWS = "hidden.final_norm";

  private final Decoder decoder;
  private final Weights weights;
  private final GraphBuilder builder = new GraphBuilder();
  private final Layers layers;

  private DecoderGraph(Decoder decoder, Weights weights) {
    this.decoder = decoder;
    this.weights = weights;
    layers = new Layers(builder, weights);
  }

  /**
   * @param stem what the names of its rows begin with
   */
  static Graph build(Decoder decoder, Weights weights, StateGroups state, String stem) {
    return new DecoderGraph(decoder, weights).build(state, stem);
  }

  private Graph build(StateGroups state, String stem) {
    Value positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
    EmbeddingsGraph embeddings = new EmbeddingsGraph(layers, decoder.embeddings());
    BlockGraph blocks = new BlockGraph(layers, new AttentionGraph(layers, positions, state));
    Value x = embeddings.build(stem + ".embeddings", positions);
    for (int layer = 0; layer < decoder.blocks().size(); layer++) {
      x = blocks.build(stem + ".layer." + layer, x, layer, decoder.blocks().get(layer));
    }
    Value outputRows = builder.indexes(Graph.OUTPUT_ROWS, Symbolic.OUTPUTS);
    Value selected = builder.add("output.hidden", new SelectRows(), x, outputRows);
    Value normed =
        layers.norm(stem + ".final_norm", decoder.finalNorm(), selected, WeightName.FINAL_NORM, 0);
    return builder.build(List.of(logits(embeddings, normed)), state.layout());
  }

  private Value logits(EmbeddingsGraph embeddings, Value normed) {
    Decoder.Head head = decoder.head();
    Weight matrix = layers.vocabulary(embeddings, head.isTied());
    Chain chain = new Chain();
    if (decoder.embeddings().inner().isOfTokens()) {
      int columns = embeddings.columns();
      chain.then(
          "logits.narrowed",
          (name, x) -> layers.linear(name, x, WeightName.OUTPUT_NARROWING, 0, columns, false));
    }
    chain.then("logits.product", (name, x) -> layers.product(name, x, matrix));
    if (head.hasBias()) {
      Weight bias =
          weights.bias(
              weights.hasName(WeightName.OUTPUT_BIAS) ? WeightName.OUTPUT_BIAS : WeightName.OUTPUT,
              0,
              weights.vocabulary());
      chain.then("logits.biased", (name, x) -> layers.bias(name, x, bias));
    }
    if (head.scale() != 1) {
      Scale scale = new Scale(head.scale());
      chain.then("logits.scaled", (name, x) -> builder.add(name, scale, x));
    }
    if (head.cap() != 0) {
      SoftCap cap = new SoftCap(head.cap());
      chain.then("logits.capped", (name, x) -> builder.add(name, cap, x));
    }
    return chain.run(LOGITS, normed);
  }
}
