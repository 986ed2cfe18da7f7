package dev.kancil.family;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** Turns a declared decoder into a graph of primitives. */
final class DecoderGraph {
  private final Decoder decoder;
  private final Weights weights;
  private final GraphBuilder builder = new GraphBuilder();
  private final Layers layers;
  private final AttentionGraph attention;
  private final FeedForwardGraph feedForward;
  private final Value positions;

  private DecoderGraph(Decoder decoder, Weights weights, DataType keyType, DataType valueType) {
    this.decoder = decoder;
    this.weights = weights;
    positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
    layers = new Layers(builder, weights);
    attention = new AttentionGraph(layers, positions, keyType, valueType);
    feedForward = new FeedForwardGraph(layers);
  }

  static Graph build(Decoder decoder, Weights weights, DataType keyType, DataType valueType) {
    return new DecoderGraph(decoder, weights, keyType, valueType).build();
  }

  private Graph build() {
    Value x = embeddings(decoder.embeddings());
    for (int layer = 0; layer < decoder.blocks().size(); layer++) {
      x = block(x, layer, decoder.blocks().get(layer));
    }
    Value outputRows = builder.indexes(Graph.OUTPUT_ROWS, Symbolic.OUTPUTS);
    Value selected = builder.add("output.hidden", new SelectRows(), x, outputRows);
    Value normed =
        layers.norm("hidden.final_norm", decoder.finalNorm(), selected, WeightName.FINAL_NORM, 0);
    return builder.build(List.of(logits(normed)), new StateLayout(attention.groups()));
  }

  private Weight table() {
    return weights.weight(
        WeightName.TOKEN_EMBEDDING, 0, weights.vocabulary(), decoder.embeddings().width());
  }

  private Value embeddings(Decoder.Embeddings embeddings) {
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    List<Step> steps = new ArrayList<>();
    Weight words = table();
    steps.add(new Step("embeddings", (name, x) -> builder.add(name, new Embedding(), x, words)));
    if (embeddings.scale() != 1) {
      Scale scale = new Scale(embeddings.scale());
      steps.add(new Step("embeddings.scaled", (name, x) -> builder.add(name, scale, x)));
    }
    if (embeddings.positions() > 0) {
      Weight table =
          weights.weight(
              WeightName.POSITION_EMBEDDING, 0, embeddings.positions(), embeddings.width());
      Value ofPositions = builder.add("embeddings.positions", new Embedding(), positions, table);
      steps.add(
          new Step("embeddings.sum", (name, x) -> builder.add(name, new Add(), x, ofPositions)));
    }
    if (!embeddings.norm().equals(Norm.NONE)) {
      steps.add(
          new Step(
              "embeddings.normed",
              (name, x) -> layers.norm(name, embeddings.norm(), x, WeightName.EMBEDDING_NORM, 0)));
    }
    return Step.run(steps, "hidden.embeddings", tokens);
  }

  private Value logits(Value normed) {
    Decoder.Head head = decoder.head();
    if (head.isTied()) {
      weights.leaveOut(WeightName.OUTPUT);
    }
    int width = decoder.embeddings().width();
    Weight matrix =
        head.isTied()
            ? table()
            : weights
                .optional(WeightName.OUTPUT, weights.vocabulary(), width)
                .orElseGet(this::table);
    List<Step> steps = new ArrayList<>();
    steps.add(new Step("logits.product", (name, x) -> layers.product(name, x, matrix)));
    if (head.hasBias()) {
      Weight bias = weights.bias(WeightName.OUTPUT, 0, weights.vocabulary());
      steps.add(new Step("logits.biased", (name, x) -> layers.bias(name, x, bias)));
    }
    if (head.scale() != 1) {
      Scale scale = new Scale(head.scale());
      steps.add(new Step("logits.scaled", (name, x) -> builder.add(name, scale, x)));
    }
    if (head.cap() != 0) {
      SoftCap cap = new SoftCap(head.cap());
      steps.add(new Step("logits.capped", (name, x) -> builder.add(name, cap, x)));
    }
    return Step.run(steps, "logits", normed);
  }

  /**
   * One of some operations, each on what the one before computes.
   *
   * @param name of its value, unless it is the last
   * @param build adds it under a name
   */
  private record Step(String name, BiFunction<String, Value, Value> build) {
    /** Adds all of them; the last one's value has the name {@code result}. */
    static Value run(List<Step> steps, String result, Value x) {
      for (int i = 0; i < steps.size(); i++) {
        boolean isLast = i == steps.size() - 1;
        x = steps.get(i).build.apply(isLast ? result : steps.get(i).name, x);
      }
      return x;
    }
  }

  private Value block(Value x, int layer, Block block) {
    String name = "blocks." + layer;
    String result = Graph.layerOutput(layer);
    Value attentionInput =
        layers.norm(
            name + ".attention.norm", block.attentionNorm(), x, WeightName.ATTENTION_NORM, layer);
    Value attended = attention.build(name + ".attention", attentionInput, layer, block.attention());
    return switch (block.residual()) {
      case SEQUENTIAL -> {
        Value residual =
            add(name + ".residual", x, attentionChange(name, attended, layer, block), block);
        yield add(result, residual, fed(name, residual, layer, block), block);
      }
      case PARALLEL, PARALLEL_WITH_ONE_NORM -> {
        boolean isShared = block.residual() == Block.Residual.PARALLEL_WITH_ONE_NORM;
        Value fed = fed(name, isShared ? attentionInput : x, layer, block);
        Value residual = add(name + ".residual", x, attended, block);
        yield add(result, residual, fed, block);
      }
    };
  }

  private Value add(String name, Value x, Value change, Block block) {
    if (block.residualScale() != 1) {
      change = builder.add(name + ".change", new Scale(block.residualScale()), change);
    }
    return builder.add(name, new Add(), x, change);
  }

  private Value attentionChange(String name, Value attended, int layer, Block block) {
    return layers.norm(
        name + ".attention.post_norm",
        block.postAttentionNorm(),
        attended,
        WeightName.POST_ATTENTION_NORM,
        layer);
  }

  private Value fed(String name, Value x, int layer, Block block) {
    Value input =
        layers.norm(
            name + ".feed_forward.norm",
            block.feedForwardNorm(),
            x,
            WeightName.FEED_FORWARD_NORM,
            layer);
    Value fed = feedForward.build(name + ".feed_forward", input, layer, block.feedForward());
    return layers.norm(
        name + ".feed_forward.post_norm",
        block.postFeedForwardNorm(),
        fed,
        WeightName.POST_FEED_FORWARD_NORM,
        layer);
  }
}
