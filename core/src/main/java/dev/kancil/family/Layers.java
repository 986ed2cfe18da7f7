package dev.kancil.family;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Add;
import dev.kancil.graph.op.Bias;
import dev.kancil.graph.op.Glu;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.RmsNorm;
import dev.kancil.graph.op.Scale;
import dev.kancil.graph.op.SelectColumns;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** What all parts of a transformer are made of: products, biases, norms. */
final class Layers {
  private final GraphBuilder builder;
  private final Weights weights;
  private final Map<Reordered, Value> reordered = new HashMap<>();

  private record Reordered(Value x, Weight order) {}

  Layers(GraphBuilder builder, Weights weights) {
    this.builder = builder;
    this.weights = weights;
  }

  GraphBuilder builder() {
    return builder;
  }

  Weights weights() {
    return weights;
  }

  Value product(String name, Value x, Weight weight) {
    Optional<Weight> order = weights.order(weight);
    Value columns = order.isEmpty() ? x : reordered(x, order.get());
    return builder.add(name, new MatMul(), columns, weight);
  }

  private Value reordered(Value x, Weight order) {
    return reordered.computeIfAbsent(
        new Reordered(x, order),
        _ -> builder.add(x.name() + " in the " + order.name(), new SelectColumns(), x, order));
  }

  Value bias(String name, Value x, Weight bias) {
    return builder.add(name, new Bias(), x, bias);
  }

  /** {@code x · Wᵀ}, with a bias if it has one. */
  Value linear(
      String name, Value x, WeightName purpose, int layer, long outColumns, boolean hasBias) {
    Weight weight = weights.reordered(purpose, layer, outColumns, x.type().columns());
    if (!hasBias) {
      return product(name, x, weight);
    }
    Value product = product(name + ".product", x, weight);
    return bias(name, product, weights.bias(purpose, layer, outColumns));
  }

  /**
   * The matrix that gives each token of the vocabulary a logit: the table of embeddings by
   * declaration, or where the checkpoint brings no other.
   */
  Weight vocabulary(EmbeddingsGraph embeddings, boolean isTied) {
    if (isTied) {
      weights.leaveOut(WeightName.OUTPUT);
      return embeddings.table();
    }
    return weights
        .optional(WeightName.OUTPUT, weights.vocabulary(), embeddings.columns())
        .orElseGet(embeddings::table);
  }

  /** A norm of whole rows. */
  Value norm(String name, Norm norm, Value x, WeightName purpose, int layer) {
    return norm(name, norm, x, purpose, layer, x.type().columns());
  }

  /**
   * A norm.
   *
   * @param group columns that are normed together
   */
  Value norm(String name, Norm norm, Value x, WeightName purpose, int layer, int group) {
    return switch (norm) {
      case Norm.Identity _ -> x;
      case Norm.Rms(float epsilon) ->
          builder.add(name, new RmsNorm(epsilon, group), x, weights.weight(purpose, layer, group));
      case Norm.Layer(float epsilon, boolean hasWeight, boolean hasBias) -> {
        LayerNorm op = new LayerNorm(epsilon, group);
        if (!hasWeight) {
          yield builder.add(name, op, x);
        }
        Operand scale = weights.weight(purpose, layer, group);
        yield hasBias
            ? builder.add(name, op, x, scale, weights.bias(purpose, layer, group))
            : builder.add(name, op, x, scale);
      }
      case Norm.LayerOfHeads(float epsilon) -> {
        Value normed = builder.add(name + ".plain", new LayerNorm(epsilon, group), x);
        yield weighted(name, normed, weights.weight(purpose, layer, x.type().columns()));
      }
    };
  }

  /**
   * Columns times a weight each. There is no primitive for it: a gated unit with relu multiplies
   * where the weight is positive, and another, of both negated, where it is negative.
   */
  private Value weighted(String name, Value x, Weight weight) {
    Value zeros = builder.add(name + ".zeros", new Scale(0), x);
    Value rows = bias(name + ".weights", zeros, weight);
    Value positive = builder.add(name + ".positive", new Glu(Activation.RELU), rows, x);
    Value negative =
        builder.add(
            name + ".negative",
            new Glu(Activation.RELU),
            builder.add(name + ".negated_weights", new Scale(-1), rows),
            builder.add(name + ".negated", new Scale(-1), x));
    return builder.add(name, new Add(), positive, negative);
  }
}
