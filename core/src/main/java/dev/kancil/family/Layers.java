package dev.kancil.family;

import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Bias;
import dev.kancil.graph.op.LayerNorm;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.RmsNorm;

/** What all parts of a transformer are made of: products, biases, norms. */
final class Layers {
  private final GraphBuilder builder;
  private final Weights weights;

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
    return builder.add(name, new MatMul(), x, weight);
  }

  Value bias(String name, Value x, Weight bias) {
    return builder.add(name, new Bias(), x, bias);
  }

  /** {@code x · Wᵀ}, with a bias if it has one. */
  Value linear(
      String name, Value x, WeightName purpose, int layer, long outColumns, boolean hasBias) {
    Weight weight = weights.weight(purpose, layer, outColumns, x.type().columns());
    if (!hasBias) {
      return product(name, x, weight);
    }
    Value product = product(name + ".product", x, weight);
    return bias(name, product, weights.bias(purpose, layer, outColumns));
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
    };
  }
}
