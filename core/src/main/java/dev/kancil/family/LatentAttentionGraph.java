package dev.kancil.family;

import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Concatenate;
import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.Score;
import java.util.List;

/**
 * Turns declared latent attention into a graph of primitives: attention with one key for all heads,
 * {@code (latent, turned)}, whose value is the latent vector again. It is cached with keys and with
 * values, that is twice.
 */
final class LatentAttentionGraph {
  private final Layers layers;
  private final AttentionGraph graph;

  LatentAttentionGraph(Layers layers, AttentionGraph graph) {
    this.layers = layers;
    this.graph = graph;
  }

  Value build(String name, Value x, int layer, LatentAttention attention) {
    Value queries = queries(name + ".query", x, layer, attention);
    Value latent =
        layers.linear(
            name + ".latent",
            x,
            WeightName.LATENT,
            layer,
            attention.latentWidth(),
            attention.hasBias());
    latent =
        layers.norm(name + ".latent.norm", attention.norm(), latent, WeightName.LATENT_NORM, layer);
    Value turned =
        layers.linear(
            name + ".key.turned",
            x,
            WeightName.KEY_TURNED,
            layer,
            attention.turnedWidth(),
            attention.hasBias());
    turned = graph.rope(name + ".key.rope", turned, attention.rotation());
    Value keys = layers.builder().add(name + ".key", new Concatenate(1), latent, turned);
    Heads heads = attention.absorbed();
    StateSlot slot = graph.slot(heads.keyColumns(), heads.valueColumns(), 0);
    layers.builder().add(List.of(), new CacheWrite(slot), List.of(keys, latent));
    Attention op =
        new Attention(
            slot,
            heads.query(),
            heads.keyValue(),
            heads.keyWidth(),
            heads.valueWidth(),
            attention.scale(),
            Mask.CAUSAL,
            Score.PLAIN);
    Value attended = layers.builder().add(name + ".latent.heads", op, queries, graph.positions());
    attended =
        ofHeads(
            name + ".heads",
            attended,
            WeightName.LATENT_VALUE,
            layer,
            attention,
            attention.valueWidth());
    return layers.linear(
        name + ".output",
        attended,
        WeightName.ATTENTION_OUTPUT,
        layer,
        x.type().columns(),
        attention.hasBias());
  }

  /** For each head what its latent columns are compared with, then what its turned ones are. */
  private Value queries(String name, Value x, int layer, LatentAttention attention) {
    Value from = x;
    if (attention.queryRank() > 0) {
      from =
          layers.linear(
              name + ".latent",
              x,
              WeightName.QUERY_LATENT,
              layer,
              attention.queryRank(),
              attention.hasBias());
      from =
          layers.norm(
              name + ".latent.norm", attention.norm(), from, WeightName.QUERY_LATENT_NORM, layer);
    }
    int heads = attention.heads();
    long plainColumns = Math.multiplyExact(heads, attention.plainWidth());
    Value plain =
        layers.linear(name + ".plain", from, WeightName.QUERY, layer, plainColumns, false);
    long turnedColumns = Math.multiplyExact(heads, attention.turnedWidth());
    Value turned =
        layers.linear(name + ".turned", from, WeightName.QUERY_TURNED, layer, turnedColumns, false);
    turned = graph.rope(name + ".rope", turned, attention.rotation());
    Value absorbed =
        ofHeads(
            name + ".absorbed",
            plain,
            WeightName.LATENT_KEY,
            layer,
            attention,
            attention.latentWidth());
    return layers.builder().add(name, new Concatenate(heads), absorbed, turned);
  }

  /** Each head's columns times a matrix of its own. */
  private Value ofHeads(
      String name, Value x, WeightName purpose, int layer, LatentAttention attention, long out) {
    int heads = attention.heads();
    long in = x.type().columns() / heads;
    return layers
        .builder()
        .add(
            name,
            new MoeMatMul(),
            x,
            layers.weights().weight(purpose, layer, heads, out, in),
            graph.slotIds(heads));
  }
}
