package dev.kancil.family;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Scale;
import dev.kancil.tensor.DataType;

/** Turns declared embeddings into a graph of primitives. */
final class EmbeddingsGraph {
  private final Layers layers;
  private final GraphBuilder builder;
  private final Embeddings embeddings;

  EmbeddingsGraph(Layers layers, Embeddings embeddings) {
    this.layers = layers;
    this.embeddings = embeddings;
    builder = layers.builder();
  }

  /** Columns of the table. */
  int columns() {
    return embeddings.tokenColumns();
  }

  /** The table of token embeddings. */
  Weight table() {
    Weights weights = layers.weights();
    return weights.weight(
        WeightName.TOKEN_EMBEDDING, 0, weights.vocabulary(), embeddings.tokenColumns());
  }

  /**
   * The rows.
   *
   * @param result what they are called
   * @param positions the ids that position embeddings are looked up with
   */
  Value build(String result, Value positions) {
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Chain chain = new Chain();
    Weight words = table();
    chain.then("embeddings", (name, x) -> builder.add(name, new Embedding(), x, words));
    if (embeddings.scale() != 1) {
      Scale scale = new Scale(embeddings.scale());
      chain.then("embeddings.scaled", (name, x) -> builder.add(name, scale, x));
    }
    Embeddings.Inner inner = embeddings.inner();
    if (inner.isOfTokens()) {
      widen(chain, false);
    }
    if (embeddings.features() > 0) {
      Value features =
          builder.input(
              Graph.FEATURES, new ValueType(DataType.F32, Symbolic.TOKENS, embeddings.features()));
      Value projected =
          layers.linear(
              "embeddings.features",
              features,
              WeightName.FEATURES,
              0,
              embeddings.sumColumns(),
              false);
      chain.then(
          "embeddings.with_features", (name, x) -> builder.add(name, new Add(), x, projected));
    }
    if (embeddings.tokenTypes() > 0) {
      Value types = builder.indexes(Graph.TOKEN_TYPES, Symbolic.TOKENS);
      add(chain, "types", types, WeightName.TOKEN_TYPE_EMBEDDING, embeddings.tokenTypes());
    }
    if (embeddings.positions() > 0) {
      add(chain, "positions", positions, WeightName.POSITION_EMBEDDING, embeddings.positions());
    }
    if (!embeddings.norm().equals(Norm.NONE)) {
      chain.then(
          "embeddings.normed",
          (name, x) -> layers.norm(name, embeddings.norm(), x, WeightName.EMBEDDING_NORM, 0));
    }
    if (inner.columns() > 0 && !inner.isOfTokens()) {
      widen(chain, true);
    }
    return chain.run(result, tokens);
  }

  private void widen(Chain chain, boolean hasBias) {
    chain.then(
        "embeddings.widened",
        (name, x) ->
            layers.linear(name, x, WeightName.EMBEDDING_WIDENING, 0, embeddings.width(), hasBias));
  }

  private void add(Chain chain, String what, Value ids, WeightName purpose, long rows) {
    Weight table = layers.weights().weight(purpose, 0, rows, embeddings.sumColumns());
    Value more = builder.add("embeddings." + what, new Embedding(), ids, table);
    chain.then("embeddings.with_" + what, (name, x) -> builder.add(name, new Add(), x, more));
  }
}
