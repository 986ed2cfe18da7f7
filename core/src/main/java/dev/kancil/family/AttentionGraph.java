package dev.kancil.family;

import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.SlotIds;
import dev.kancil.tensor.DataType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Turns declared attention into a graph of primitives, and lays out what is cached. */
final class AttentionGraph {
  private final Layers layers;
  private final Value positions;
  private final DataType keyType;
  private final DataType valueType;
  private final List<StateGroup> groups = new ArrayList<>();
  private final Map<Integer, Value> slotIds = new HashMap<>();

  AttentionGraph(Layers layers, Value positions, DataType keyType, DataType valueType) {
    this.layers = layers;
    this.positions = positions;
    this.keyType = keyType;
    this.valueType = valueType;
  }

  /** What is cached for all that was built. */
  List<StateGroup> groups() {
    return groups;
  }

  Value positions() {
    return positions;
  }

  /** The attention of a layer, up to the product with its output matrix. */
  Value build(String name, Value x, int layer, AttentionPart part) {
    return switch (part) {
      case AttentionLayer attention -> heads(name, x, layer, attention);
      case LatentAttention attention ->
          new LatentAttentionGraph(layers, this).build(name, x, layer, attention);
    };
  }

  private Value heads(String name, Value x, int layer, AttentionLayer attention) {
    Heads heads = attention.heads();
    boolean hasBias = attention.biases().input();
    Value q =
        layers.linear(name + ".query", x, WeightName.QUERY, layer, heads.queryColumns(), hasBias);
    Value k = layers.linear(name + ".key", x, WeightName.KEY, layer, heads.keyColumns(), hasBias);
    Value v =
        layers.linear(name + ".value", x, WeightName.VALUE, layer, heads.valueColumns(), hasBias);
    q = norm(name + ".query.norm", q, attention, WeightName.QUERY_NORM, layer);
    k = norm(name + ".key.norm", k, attention, WeightName.KEY_NORM, layer);
    if (attention.rotation().isPresent()) {
      q = rope(name + ".query.rope", q, attention.rotation().get());
      k = rope(name + ".key.rope", k, attention.rotation().get());
    }
    AttentionLayer.Scores scores = attention.scores();
    StateSlot slot = slot(heads.keyColumns(), heads.valueColumns(), scores.window());
    layers.builder().add(List.of(), new CacheWrite(slot), List.of(k, v));
    Attention op =
        new Attention(
            slot,
            heads.query(),
            heads.keyValue(),
            heads.keyWidth(),
            heads.valueWidth(),
            scores.scale(),
            scores.mask(),
            scores.score(),
            scores.hasSinks());
    Value attended =
        scores.hasSinks()
            ? layers
                .builder()
                .add(
                    name + ".heads",
                    op,
                    q,
                    positions,
                    layers.weights().weight(WeightName.SINKS, layer, heads.query()))
            : layers.builder().add(name + ".heads", op, q, positions);
    return layers.linear(
        name + ".output",
        attended,
        WeightName.ATTENTION_OUTPUT,
        layer,
        x.type().columns(),
        attention.biases().output());
  }

  private Value norm(String name, Value x, AttentionLayer attention, WeightName weight, int layer) {
    AttentionLayer.QueryKeyNorm norm = attention.queryKeyNorm();
    int group = norm.isOfWhole() ? x.type().columns() : attention.heads().keyWidth();
    return layers.norm(name, norm.norm(), x, weight, layer, group);
  }

  Value rope(String name, Value x, Rotation rotation) {
    Rope rope = new Rope(rotation.embedding());
    Optional<Weight> factors =
        rotation.factors().isEmpty()
            ? layers.weights().optional(rotation.stored(), rotation.embedding().rotaryWidth() / 2)
            : Optional.of(
                layers
                    .weights()
                    .constant("rope factors " + rotation.factors(), rotation.factors()));
    return factors.isPresent()
        ? layers.builder().add(name, rope, x, positions, factors.get())
        : layers.builder().add(name, rope, x, positions);
  }

  /** The ids of {@link SlotIds}, the same for all layers. */
  Value slotIds(int slots) {
    return slotIds.computeIfAbsent(
        slots, _ -> layers.builder().add("slots." + slots, new SlotIds(slots), positions));
  }

  StateSlot slot(int keyColumns, int valueColumns, int window) {
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
