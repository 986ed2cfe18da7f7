package dev.kancil.family;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Turns a declared encoder into graphs of primitives. */
final class EncoderGraph {
  private final Encoder encoder;
  private final Weights weights;
  private final StateGroups state;

  EncoderGraph(Encoder encoder, Weights weights, StateGroups state) {
    this.encoder = encoder;
    this.weights = weights;
    this.state = state;
  }

  /**
   * The graph that computes rows from ids.
   *
   * @param stem what the names of rows begin with
   * @param output what the rows are called at last
   * @param decoder whose blocks attend to the rows; keys and values are kept for them
   * @param decoderWeights of that
   */
  Graph rows(String stem, String output, List<Block> decoder, Weights decoderWeights) {
    GraphBuilder builder = new GraphBuilder();
    Layers layers = new Layers(builder, weights);
    EmbeddingsGraph embeddings = new EmbeddingsGraph(layers, encoder.embeddings());
    Value positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
    Value ids =
        encoder.embeddings().positions() > 0
            ? builder.indexes(Graph.POSITION_IDS, Symbolic.TOKENS)
            : positions;
    BlockGraph blocks = new BlockGraph(layers, new AttentionGraph(layers, positions, state));
    Value x = embeddings.build(stem + ".embeddings", ids);
    for (int layer = 0; layer < encoder.blocks().size(); layer++) {
      x = blocks.build(stem + ".layer." + layer, x, layer, encoder.blocks().get(layer));
    }
    x = layers.norm(stem + ".final_norm", encoder.finalNorm(), x, WeightName.FINAL_NORM, 0);
    AttentionGraph kept = new AttentionGraph(new Layers(builder, decoderWeights), positions, state);
    for (int layer = 0; layer < decoder.size(); layer++) {
      kept.encoded("cross." + layer, x, layer, decoder.get(layer).cross().orElseThrow());
    }
    Value outputRows = builder.indexes(Graph.OUTPUT_ROWS, Symbolic.OUTPUTS);
    Value selected = builder.add(output, new SelectRows(), x, outputRows);
    List<Value> outputs = new ArrayList<>(List.of(selected));
    outputs.addAll(heads(layers, embeddings, encoder.rowHeads(), selected));
    return builder.build(outputs, state.layout());
  }

  /**
   * All of it.
   *
   * @param stem what the names of rows begin with
   * @param output what the rows are called at last
   * @param contextLength the most tokens of a sequence
   */
  LoadedModel.OfEncoder load(String stem, String output, int contextLength) {
    return new LoadedModel.OfEncoder(
        rows(stem, output, List.of(), weights),
        encoder.pooling(),
        encoder.pooledHeads().isEmpty() ? Optional.empty() : Optional.of(pooled()),
        encoder.padding(),
        encoder.embeddings().tokenTypes(),
        weights,
        contextLength,
        Math.toIntExact(weights.vocabulary()));
  }

  /** The graph that computes what is asked of rows that stand for sequences. */
  Graph pooled() {
    GraphBuilder builder = new GraphBuilder();
    Layers layers = new Layers(builder, weights);
    Value pooled =
        builder.input(
            Graph.POOLED,
            new ValueType(DataType.F32, Symbolic.TOKENS, encoder.embeddings().width()));
    return builder.build(
        heads(
            layers,
            new EmbeddingsGraph(layers, encoder.embeddings()),
            encoder.pooledHeads(),
            pooled),
        new StateLayout(List.of()));
  }

  private static List<Value> heads(
      Layers layers, EmbeddingsGraph embeddings, List<Head> heads, Value rows) {
    Map<String, Value> outputs = new LinkedHashMap<>();
    for (Head head : heads) {
      Value from = head.from().isEmpty() ? rows : Objects.requireNonNull(outputs.get(head.from()));
      Chain chain = new Chain();
      for (Head.Step step : head.steps()) {
        add(chain, layers, embeddings, head.output(), step);
      }
      outputs.put(head.output(), chain.run(head.output(), from));
    }
    return List.copyOf(outputs.values());
  }

  private static void add(
      Chain chain, Layers layers, EmbeddingsGraph embeddings, String output, Head.Step step) {
    GraphBuilder builder = layers.builder();
    switch (step) {
      case Head.Linear(WeightName weight, int columns, boolean hasBias) ->
          chain.then(
              output + "." + weight,
              (name, x) -> layers.linear(name, x, weight, 0, columns, hasBias));
      case Head.Vocabulary(boolean isTied) -> {
        Weight table = layers.vocabulary(embeddings, isTied);
        chain.then(output + ".product", (name, x) -> layers.product(name, x, table));
        layers
            .weights()
            .optional(WeightName.OUTPUT_BIAS, layers.weights().vocabulary())
            .ifPresent(
                bias -> chain.then(output + ".biased", (name, x) -> layers.bias(name, x, bias)));
      }
      case Head.Activated(var activation) ->
          chain.then(
              output + ".activated", (name, x) -> builder.add(name, new Activate(activation), x));
      case Head.Tanh _ ->
          // 1 · tanh(x / 1).
          chain.then(output + ".tanh", (name, x) -> builder.add(name, new SoftCap(1), x));
      case Head.Normed(Norm norm, WeightName weight) ->
          chain.then(output + ".normed", (name, x) -> layers.norm(name, norm, x, weight, 0));
    }
  }
}
