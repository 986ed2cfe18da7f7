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
import java.util.List;

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
    boolean isScaled = embeddings.scale() != 1;
    boolean isPositioned = embeddings.positions() > 0;
    String result = "hidden.embeddings";
    String sum = embeddings.norm().equals(Norm.NONE) ? result : "embeddings.sum";
    Value x =
        builder.add(
            isScaled || isPositioned ? "embeddings" : sum, new Embedding(), tokens, table());
    if (isScaled) {
      x = builder.add(isPositioned ? "embeddings.scaled" : sum, new Scale(embeddings.scale()), x);
    }
    if (isPositioned) {
      Weight table =
          weights.weight(
              WeightName.POSITION_EMBEDDING, 0, embeddings.positions(), embeddings.width());
      Value ofPositions = builder.add("embeddings.positions", new Embedding(), positions, table);
      x = builder.add(sum, new Add(), x, ofPositions);
    }
    return layers.norm(result, embeddings.norm(), x, WeightName.EMBEDDING_NORM, 0);
  }

  private Value logits(Value x) {
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
    Value logits =
        layers.product(
            head.cap() == 0 && head.scale() == 1 && !head.hasBias() ? "logits" : "logits.product",
            x,
            matrix);
    if (head.hasBias()) {
      Weight bias = weights.bias(WeightName.OUTPUT, 0, weights.vocabulary());
      logits =
          layers.bias(
              head.cap() == 0 && head.scale() == 1 ? "logits" : "logits.biased", logits, bias);
    }
    if (head.scale() != 1) {
      logits =
          builder.add(
              head.cap() == 0 ? "logits" : "logits.scaled", new Scale(head.scale()), logits);
    }
    if (head.cap() != 0) {
      logits = builder.add("logits", new SoftCap(head.cap()), logits);
    }
    return logits;
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
      case POST_NORM -> throw new IllegalArgumentException("post-norm blocks of a decoder");
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
