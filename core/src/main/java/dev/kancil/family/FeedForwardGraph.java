package dev.kancil.family;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activate;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.ClampedGlu;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.MoeBias;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeSum;
import java.util.List;

/** Turns declared feed-forward parts into a graph of primitives. */
final class FeedForwardGraph {
  private final Layers layers;
  private final GraphBuilder builder;

  FeedForwardGraph(Layers layers) {
    this.layers = layers;
    builder = layers.builder();
  }

  Value build(String name, Value x, int layer, FeedForward part) {
    int width = x.type().columns();
    return switch (part) {
      case FeedForward.Gated(var activation, int inside, boolean hasBias) -> {
        Value gate = layers.linear(name + ".gate", x, WeightName.GATE, layer, inside, hasBias);
        Value up = layers.linear(name + ".up", x, WeightName.UP, layer, inside, hasBias);
        Value hidden = builder.add(name + ".hidden", new Glu(activation), gate, up);
        yield layers.linear(name + ".output", hidden, WeightName.DOWN, layer, width, hasBias);
      }
      case FeedForward.Plain(var activation, int inside, boolean hasBias) -> {
        Value up = layers.linear(name + ".up", x, WeightName.UP, layer, inside, hasBias);
        Value hidden = builder.add(name + ".hidden", new Activate(activation), up);
        yield layers.linear(name + ".output", hidden, WeightName.DOWN, layer, width, hasBias);
      }
      case FeedForward.Experts experts -> experts(name, x, layer, experts);
      case FeedForward.ClampedExperts experts -> clampedExperts(name, x, layer, experts);
    };
  }

  private Value experts(String name, Value x, int layer, FeedForward.Experts part) {
    Weights weights = layers.weights();
    int width = x.type().columns();
    int count = part.count();
    Value logits = layers.linear(name + ".router", x, WeightName.ROUTER, layer, count, false);
    List<String> names = List.of(name + ".experts", name + ".expert_weights");
    List<Value> route =
        part.hasCorrection()
            ? builder.add(
                names,
                part.route(),
                List.of(logits, weights.weight(WeightName.ROUTER_CORRECTION, layer, count)))
            : builder.add(names, part.route(), List.of(logits));
    Value ids = route.getFirst();
    Value gate =
        expert(name + ".gate", x, WeightName.EXPERTS_GATE, layer, ids, count, part.width(), width);
    Value up =
        expert(name + ".up", x, WeightName.EXPERTS_UP, layer, ids, count, part.width(), width);
    Value hidden = builder.add(name + ".hidden", new Glu(part.activation()), gate, up);
    Value down =
        expert(
            name + ".down",
            hidden,
            WeightName.EXPERTS_DOWN,
            layer,
            ids,
            count,
            width,
            part.width());
    boolean isShared = part.shared().width() > 0;
    Value sum =
        builder.add(
            isShared ? name + ".sum" : name + ".output", new MoeSum(), down, route.getLast());
    if (!isShared) {
      return sum;
    }
    return builder.add(name + ".output", new Add(), sum, shared(name + ".shared", x, layer, part));
  }

  private Value clampedExperts(String name, Value x, int layer, FeedForward.ClampedExperts part) {
    int width = x.type().columns();
    int inside = part.width();
    int count = part.count();
    Value logits = layers.linear(name + ".router", x, WeightName.ROUTER, layer, count, true);
    List<String> names = List.of(name + ".experts", name + ".expert_weights");
    List<Value> route = builder.add(names, part.route(), List.of(logits));
    Value ids = route.getFirst();
    Value gate =
        expert(
            name + ".gate.product", x, WeightName.EXPERTS_GATE, layer, ids, count, inside, width);
    gate = expertBias(name + ".gate", gate, WeightName.EXPERTS_GATE_BIAS, layer, ids, count);
    Value up =
        expert(name + ".up.product", x, WeightName.EXPERTS_UP, layer, ids, count, inside, width);
    up = expertBias(name + ".up", up, WeightName.EXPERTS_UP_BIAS, layer, ids, count);
    ClampedGlu glu = new ClampedGlu(part.activation(), part.limit());
    Value hidden = builder.add(name + ".hidden", glu, gate, up);
    Value down =
        expert(
            name + ".down.product",
            hidden,
            WeightName.EXPERTS_DOWN,
            layer,
            ids,
            count,
            width,
            inside);
    down = expertBias(name + ".down", down, WeightName.EXPERTS_DOWN_BIAS, layer, ids, count);
    return builder.add(name + ".output", new MoeSum(), down, route.getLast());
  }

  private Value expertBias(
      String name, Value x, WeightName purpose, int layer, Value ids, int count) {
    long columns = x.type().columns() / ids.type().columns();
    Weight bias = layers.weights().weight(purpose, layer, count, columns);
    return builder.add(name, new MoeBias(), x, bias, ids);
  }

  private Value expert(
      String name,
      Value x,
      WeightName purpose,
      int layer,
      Value ids,
      long count,
      long out,
      long in) {
    Weight weight = layers.weights().weight(purpose, layer, count, out, in);
    return builder.add(name, new MoeMatMul(), x, weight, ids);
  }

  private Value shared(String name, Value x, int layer, FeedForward.Experts part) {
    FeedForward.Shared shared = part.shared();
    int width = x.type().columns();
    Value gate =
        layers.linear(name + ".gate", x, WeightName.SHARED_GATE, layer, shared.width(), false);
    Value up = layers.linear(name + ".up", x, WeightName.SHARED_UP, layer, shared.width(), false);
    Value hidden = builder.add(name + ".hidden", new Glu(part.activation()), gate, up);
    if (!shared.isGated()) {
      return layers.linear(name + ".output", hidden, WeightName.SHARED_DOWN, layer, width, false);
    }
    Value down = layers.linear(name + ".down", hidden, WeightName.SHARED_DOWN, layer, width, false);
    // A choice of one expert among one, which is weighted with the sigmoid of its logit.
    Value logit = layers.linear(name + ".switch", x, WeightName.SHARED_SWITCH, layer, 1, false);
    List<Value> weight =
        builder.add(
            List.of(name + ".only", name + ".weight"),
            new MoeRoute(1, MoeRoute.Scoring.SIGMOID, false, 1),
            List.of(logit));
    return builder.add(name + ".output", new MoeSum(), down, weight.getLast());
  }
}
