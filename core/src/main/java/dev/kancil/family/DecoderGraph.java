package dev.kancil.family;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectRows;
import dev.kancil.graph.op.SoftCap;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Turns a declared decoder into a graph of primitives. */
final class DecoderGraph {
  private final Decoder decoder;
  private final Weights weights;
  private final GraphBuilder builder = new GraphBuilder();
  private final List<StateGroup> groups = new ArrayList<>();
  private final DataType keyType;
  private final DataType valueType;
  private final Value positions;

  private DecoderGraph(Decoder decoder, Weights weights, DataType keyType, DataType valueType) {
    this.decoder = decoder;
    this.weights = weights;
    this.keyType = keyType;
    this.valueType = valueType;
    this.positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
  }

  static Graph build(Decoder decoder, Weights weights, DataType keyType, DataType valueType) {
    return new DecoderGraph(decoder, weights, keyType, valueType).build();
  }

  private Graph build() {
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value outputRows = builder.indexes(Graph.OUTPUT_ROWS, Symbolic.OUTPUTS);
    int width = decoder.width();
    Weight table = weights.weight(WeightName.TOKEN_EMBEDDING, 0, weights.vocabulary(), width);
    Value x;
    if (decoder.embeddingScale() == 1) {
      x = builder.add("hidden.embeddings", new Embedding(), tokens, table);
    } else {
      Value plain = builder.add("embeddings", new Embedding(), tokens, table);
      x = builder.add("hidden.embeddings", new Scale(decoder.embeddingScale()), plain);
    }
    for (int layer = 0; layer < decoder.blocks().size(); layer++) {
      x = block(x, layer, decoder.blocks().get(layer));
    }
    Value selected = builder.add("output.hidden", new SelectRows(), x, outputRows);
    Value normed =
        norm("hidden.final_norm", decoder.finalNorm(), selected, WeightName.FINAL_NORM, 0);
    Weight head = weights.optional(WeightName.OUTPUT, weights.vocabulary(), width).orElse(table);
    Value logits;
    if (decoder.logitCap() == 0) {
      logits = builder.add("logits", new MatMul(), normed, head);
    } else {
      Value raw = builder.add("logits.uncapped", new MatMul(), normed, head);
      logits = builder.add("logits", new SoftCap(decoder.logitCap()), raw);
    }
    return builder.build(List.of(logits), new StateLayout(groups));
  }

  private Value block(Value x, int layer, Block block) {
    String name = "blocks." + layer;
    Value attentionInput =
        norm(name + ".attention.norm", block.attentionNorm(), x, WeightName.ATTENTION_NORM, layer);
    Value attended = attention(name + ".attention", attentionInput, layer, block.attention());
    Value attentionChange =
        norm(
            name + ".attention.post_norm",
            block.postAttentionNorm(),
            attended,
            WeightName.POST_ATTENTION_NORM,
            layer);
    Value residual = builder.add(name + ".residual", new Add(), x, attentionChange);
    Value feedForwardInput =
        norm(
            name + ".feed_forward.norm",
            block.feedForwardNorm(),
            residual,
            WeightName.FEED_FORWARD_NORM,
            layer);
    Value fed =
        switch (block.feedForward()) {
          case FeedForward.Gated gated ->
              gated(name + ".feed_forward", feedForwardInput, layer, gated);
        };
    Value feedForwardChange =
        norm(
            name + ".feed_forward.post_norm",
            block.postFeedForwardNorm(),
            fed,
            WeightName.POST_FEED_FORWARD_NORM,
            layer);
    return builder.add(Graph.layerOutput(layer), new Add(), residual, feedForwardChange);
  }

  private Value attention(String name, Value x, int layer, AttentionLayer attention) {
    int width = decoder.width();
    int queryColumns = attention.heads() * attention.keyWidth();
    int keyColumns = attention.kvHeads() * attention.keyWidth();
    int valueColumns = attention.kvHeads() * attention.valueWidth();
    Value q = product(name + ".query", x, WeightName.QUERY, layer, queryColumns, width);
    Value k = product(name + ".key", x, WeightName.KEY, layer, keyColumns, width);
    Value v = product(name + ".value", x, WeightName.VALUE, layer, valueColumns, width);
    q = headNorm(name + ".query.norm", q, attention, WeightName.QUERY_NORM, layer);
    k = headNorm(name + ".key.norm", k, attention, WeightName.KEY_NORM, layer);
    q = rope(name + ".query.rope", q, attention);
    k = rope(name + ".key.rope", k, attention);
    StateSlot slot = slot(keyColumns, valueColumns, attention.window());
    builder.add(List.of(), new CacheWrite(slot), List.of(k, v));
    Attention op =
        new Attention(
            slot,
            attention.heads(),
            attention.kvHeads(),
            attention.keyWidth(),
            attention.valueWidth(),
            attention.scale(),
            attention.mask(),
            attention.score());
    Value heads = builder.add(name + ".heads", op, q, positions);
    return product(
        name + ".output",
        heads,
        WeightName.ATTENTION_OUTPUT,
        layer,
        width,
        attention.heads() * attention.valueWidth());
  }

  private Value rope(String name, Value x, AttentionLayer attention) {
    Rope rope = new Rope(attention.rotary());
    Optional<Weight> factors =
        weights.optional(WeightName.ROPE_FACTORS, attention.rotary().rotaryWidth() / 2);
    return factors.isPresent()
        ? builder.add(name, rope, x, positions, factors.get())
        : builder.add(name, rope, x, positions);
  }

  private Value gated(String name, Value x, int layer, FeedForward.Gated gated) {
    int width = decoder.width();
    Value gate = product(name + ".gate", x, WeightName.GATE, layer, gated.width(), width);
    Value up = product(name + ".up", x, WeightName.UP, layer, gated.width(), width);
    Value hidden = builder.add(name + ".hidden", new Glu(gated.activation()), gate, up);
    return product(name + ".output", hidden, WeightName.DOWN, layer, width, gated.width());
  }

  private Value product(
      String name, Value x, WeightName weight, int layer, long outColumns, long inColumns) {
    return builder.add(name, new MatMul(), x, weights.weight(weight, layer, outColumns, inColumns));
  }

  private Value norm(String name, Norm norm, Value x, WeightName weight, int layer) {
    return norm(name, norm, x, weight, layer, x.type().columns());
  }

  private Value headNorm(
      String name, Value x, AttentionLayer attention, WeightName weight, int layer) {
    return norm(name, attention.queryKeyNorm(), x, weight, layer, attention.keyWidth());
  }

  private Value norm(String name, Norm norm, Value x, WeightName weight, int layer, int group) {
    return switch (norm) {
      case Norm.Identity _ -> x;
      case Norm.Rms(float epsilon) -> {
        Operand scale = weights.weight(weight, layer, group);
        yield builder.add(name, new RmsNorm(epsilon, group), x, scale);
      }
    };
  }

  private StateSlot slot(int keyColumns, int valueColumns, int window) {
    for (int i = 0; i < groups.size(); i++) {
      StateGroup group = groups.get(i);
      if (group.keyColumns() == keyColumns
          && group.valueColumns() == valueColumns
          && group.window() == window) {
        groups.set(
            i,
            new StateGroup(
                group.layers() + 1, keyColumns, valueColumns, keyType, valueType, window));
        return new StateSlot(i, group.layers());
      }
    }
    groups.add(new StateGroup(1, keyColumns, valueColumns, keyType, valueType, window));
    return new StateSlot(groups.size() - 1, 0);
  }
}
