package dev.kancil.family;

import dev.kancil.graph.Operand;
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Clamp;
import dev.kancil.graph.op.Rope;
import dev.kancil.graph.op.SlotIds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Turns declared attention into a graph of primitives, and lays out what is cached. */
final class AttentionGraph {
  private final Layers layers;
  private final Value positions;
  private final StateGroups state;
  private final StateGroups.Slots slots;
  private final Map<Integer, Value> slotIds = new HashMap<>();

  AttentionGraph(Layers layers, Value positions, StateGroups state) {
    this.layers = layers;
    this.positions = positions;
    this.state = state;
    slots = state.new Slots();
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
    if (attention.clamp() != 0) {
      Clamp clamp = new Clamp(attention.clamp());
      q = layers.builder().add(name + ".query.clamped", clamp, q);
      k = layers.builder().add(name + ".key.clamped", clamp, k);
      v = layers.builder().add(name + ".value.clamped", clamp, v);
    }
    if (attention.rotation().isPresent()) {
      q = rope(name + ".query.rope", q, attention.rotation().get());
      k = rope(name + ".key.rope", k, attention.rotation().get());
    }
    AttentionLayer.Scores scores = attention.scores();
    StateSlot slot = slot(heads.keyColumns(), heads.valueColumns(), scores.kept());
    layers.builder().add(List.of(), new CacheWrite(slot), List.of(k, v));
    Value attended = attend(name, q, layer, slot, attention);
    return layers.linear(
        name + ".output",
        attended,
        WeightName.ATTENTION_OUTPUT,
        layer,
        x.type().columns(),
        attention.biases().output());
  }

  private Value attend(String name, Value q, int layer, StateSlot slot, AttentionLayer attention) {
    Heads heads = attention.heads();
    AttentionLayer.Scores scores = attention.scores();
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
    List<Operand> operands = new ArrayList<>(List.of(q, positions));
    if (scores.hasSinks()) {
      operands.add(layers.weights().weight(WeightName.SINKS, layer, heads.query()));
    }
    op.relativeBias()
        .ifPresent(
            bias ->
                operands.add(
                    layers
                        .weights()
                        .weight(WeightName.RELATIVE_BIAS, layer, bias.buckets(), heads.query())));
    return layers.builder().add(List.of(name + ".heads"), op, operands).getFirst();
  }

  /** Attention to an encoder's rows, of which {@link #encoded} has kept keys and values. */
  Value cross(String name, Value x, int layer, AttentionLayer attention) {
    Heads heads = attention.heads();
    Value q =
        layers.linear(
            name + ".query",
            x,
            WeightName.CROSS_QUERY,
            layer,
            heads.queryColumns(),
            attention.biases().input());
    StateSlot slot = state.ofSource(heads.keyColumns(), heads.valueColumns(), layer);
    Value attended = attend(name, q, layer, slot, attention.bothWays());
    return layers.linear(
        name + ".output",
        attended,
        WeightName.CROSS_OUTPUT,
        layer,
        x.type().columns(),
        attention.biases().output());
  }

  /** Keeps an encoder's rows as keys and values of a decoder's layer. */
  void encoded(String name, Value rows, int layer, AttentionLayer attention) {
    Heads heads = attention.heads();
    boolean hasBias = attention.biases().input();
    Value k =
        layers.linear(
            name + ".key", rows, WeightName.CROSS_KEY, layer, heads.keyColumns(), hasBias);
    Value v =
        layers.linear(
            name + ".value", rows, WeightName.CROSS_VALUE, layer, heads.valueColumns(), hasBias);
    StateSlot slot = state.ofSource(heads.keyColumns(), heads.valueColumns(), layer);
    layers.builder().add(List.of(), new CacheWrite(slot), List.of(k, v));
  }

  private Value norm(String name, Value x, AttentionLayer attention, WeightName weight, int layer) {
    AttentionLayer.QueryKeyNorm norm = attention.queryKeyNorm();
    int group = norm.isOfWhole() ? x.type().columns() : attention.heads().keyWidth();
    return layers.norm(name, norm.norm(), x, weight, layer, group);
  }

  Value rope(String name, Value x, Rotation rotation) {
    Rope rope = new Rope(rotation.embedding());
    if (rotation.stored() != WeightName.ROPE_FACTORS) {
      // Files have those for short contexts and those for long ones.
      layers.weights().leaveOut(WeightName.ROPE_FACTORS_SHORT);
      layers.weights().leaveOut(WeightName.ROPE_FACTORS_LONG);
    }
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
    return slots.next(keyColumns, valueColumns, window);
  }
}
