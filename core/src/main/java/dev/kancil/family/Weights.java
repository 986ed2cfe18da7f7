package dev.kancil.family;

import dev.kancil.FormatException;
import dev.kancil.UnsupportedException;
import dev.kancil.backend.WeightSource;
import dev.kancil.format.Checkpoint;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** A checkpoint's weights by purpose, each checked against the shape that the family expects. */
final class Weights implements WeightSource {
  private final Checkpoint checkpoint;
  private final WeightNames names;
  private final Set<String> used = new HashSet<>();

  Weights(Checkpoint checkpoint, WeightNames names) {
    this.checkpoint = checkpoint;
    this.names = names;
  }

  Weight weight(WeightName purpose, int layer, long... shape) {
    String name = names.name(purpose, layer);
    return find(name, Shape.of(shape))
        .orElseThrow(
            () -> new FormatException(checkpoint.name() + ": the tensor " + name + " is missing"));
  }

  Optional<Weight> optional(WeightName purpose, long... shape) {
    return find(names.name(purpose, 0), Shape.of(shape));
  }

  /** Rows of the token embedding. */
  long vocabulary() {
    String name = names.name(WeightName.TOKEN_EMBEDDING, 0);
    Tensor table =
        checkpoint
            .tensor(name)
            .orElseThrow(
                () ->
                    new FormatException(
                        checkpoint.name()
                            + ": the tensor "
                            + name
                            + " is missing; is this file a vocabulary alone?"));
    return table.shape().rows();
  }

  private Optional<Weight> find(String name, Shape shape) {
    return checkpoint
        .tensor(name)
        .map(
            tensor -> {
              if (!tensor.shape().equals(shape)) {
                throw new FormatException(
                    checkpoint.name()
                        + ": the tensor "
                        + name
                        + " has shape "
                        + tensor.shape()
                        + ", not "
                        + shape);
              }
              used.add(name);
              return new Weight(name, tensor.type(), shape);
            });
  }

  /** Throws if the checkpoint has tensors that the graph leaves out, which would go unnoticed. */
  void requireAllUsed() {
    for (String name : checkpoint.tensorNames()) {
      if (!used.contains(name)) {
        throw new UnsupportedException(
            checkpoint.name()
                + ": the tensor "
                + name
                + " has no place in architecture "
                + checkpoint.architecture());
      }
    }
  }

  @Override
  public Tensor tensor(Weight weight) {
    return checkpoint
        .tensor(weight.name())
        .orElseThrow(
            () ->
                new FormatException(
                    checkpoint.name() + ": the tensor " + weight.name() + " is missing"));
  }
}
