package dev.kancil.graph.op;

import dev.kancil.graph.Dimension;
import dev.kancil.graph.Operand;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import java.util.List;
import java.util.function.Supplier;

/**
 * An operation. Backends switch over it, so that a new one does not compile until each has decided.
 * All arithmetic is in float32 or better.
 */
public sealed interface Op permits Primitive, Fused {
  /**
   * The types of the outputs for these inputs.
   *
   * @throws IllegalArgumentException if the operation is not defined on them
   */
  List<ValueType> infer(List<Operand> inputs);

  /** Name of the operation, as tables and profiles show it. */
  default String name() {
    return getClass().getSimpleName();
  }

  /** Throws unless there are {@code count} inputs. */
  default void requireInputs(List<Operand> inputs, int count) {
    if (inputs.size() != count) {
      throw new IllegalArgumentException(
          name() + " takes " + count + " inputs, not " + inputs.size());
    }
  }

  /** Input {@code index}, which must be a value of the graph. */
  default ValueType valueType(List<Operand> inputs, int index) {
    if (inputs.get(index) instanceof Value value) {
      return value.type();
    }
    throw new IllegalArgumentException(
        name() + ": " + inputs.get(index).name() + " is a weight, not a value");
  }

  /** Input {@code index}, which must be a float32 value of the graph. */
  default ValueType floats(List<Operand> inputs, int index) {
    ValueType type = valueType(inputs, index);
    require(type.type() == DataType.F32, () -> inputs.get(index).name() + " is " + type.type());
    return type;
  }

  /** Throws unless input {@code index} is one I32 for each of {@code rows}. */
  default void requirePositions(List<Operand> inputs, int index, Dimension rows) {
    ValueType positions = valueType(inputs, index);
    require(
        positions.type() == DataType.I32 && positions.columns() == 1,
        () -> "positions are " + positions.type() + " of " + positions.columns() + " columns");
    require(positions.rows().equals(rows), () -> "positions of other rows");
  }

  /** Input {@code index}, which must be a weight of this shape. */
  default Weight requireWeight(List<Operand> inputs, int index, long... shape) {
    Weight weight = weight(inputs, index);
    if (!weight.shape().equals(Shape.of(shape))) {
      throw new IllegalArgumentException(
          name()
              + ": "
              + weight.name()
              + " has shape "
              + weight.shape()
              + ", not "
              + Shape.of(shape));
    }
    return weight;
  }

  /** Input {@code index}, which must be a weight. */
  default Weight weight(List<Operand> inputs, int index) {
    if (inputs.get(index) instanceof Weight weight) {
      return weight;
    }
    throw new IllegalArgumentException(
        name() + ": " + inputs.get(index).name() + " is a value, not a weight");
  }

  /** Throws unless {@code condition} holds. */
  default void require(boolean condition, Supplier<String> message) {
    if (!condition) {
      throw new IllegalArgumentException(name() + ": " + message.get());
    }
  }
}
