package dev.kancil.family;

import dev.kancil.format.Adapter;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Weights with what adapters change of them, computed when a device asks for them. Types with
 * blocks become float32.
 */
final class AdaptedWeights {
  private final List<Adapter> adapters;
  private final Set<Target> met = new HashSet<>();

  /** What one of the adapters changes. */
  private record Target(int adapter, String name) {}

  AdaptedWeights(List<Adapter> adapters) {
    this.adapters = List.copyOf(adapters);
  }

  /**
   * The same weight, or what adapters make of it; what is wrong goes to {@code weights}.
   *
   * @param names under which adapters may know it
   */
  PlacedWeight of(List<String> names, PlacedWeight weight, Weights weights) {
    PlacedWeight adapted = weight;
    for (int i = 0; i < adapters.size(); i++) {
      for (String name : names) {
        Adapter.Change change = adapters.get(i).changes().get(name);
        if (change == null) {
          continue;
        }
        met.add(new Target(i, name));
        String problem = problem(change, weight);
        if (problem.isEmpty()) {
          adapted = changed(change, adapted, i, weights);
        } else {
          weights.problem(adapters.get(i).name() + ": of " + name + ", " + problem);
        }
      }
    }
    return adapted;
  }

  /** What adapters change and no weight has. */
  void requireMet(Weights weights) {
    for (int i = 0; i < adapters.size(); i++) {
      for (String name : adapters.get(i).changes().keySet()) {
        if (!met.contains(new Target(i, name))) {
          weights.problem(
              adapters.get(i).name() + ": it changes " + name + ", which the model has not");
        }
      }
    }
  }

  private static String problem(Adapter.Change change, PlacedWeight weight) {
    return switch (change) {
      case Adapter.Replaced(Tensor tensor) ->
          tensor.shape().equals(weight.shape())
              ? ""
              : "the shape is " + tensor.shape() + ", not " + weight.shape();
      case Adapter.LowRank low -> problem(low, weight.shape());
    };
  }

  /** Why a change does not fit a tensor of this shape; empty if it does. */
  static String problem(Adapter.LowRank low, Shape shape) {
    Shape a = low.a().shape();
    Shape b = low.b().shape();
    if (shape.rank() != 2 || a.rank() != 2 || b.rank() != 2) {
      return "factors have shapes " + a + " and " + b + " for " + shape;
    }
    long out = shape.dimension(low.isTransposed() ? 1 : 0);
    long in = shape.dimension(low.isTransposed() ? 0 : 1);
    if (a.columns() != in || b.dimension(0) != out || a.dimension(0) != b.columns()) {
      return "factors have shapes " + a + " and " + b + " for " + shape;
    }
    if (low.magnitude().isEmpty()) {
      return "";
    }
    if (low.isTransposed()) {
      return "a magnitude of a matrix that lies [in, out] is not supported";
    }
    long elements = low.magnitude().get().shape().elements();
    return elements == out ? "" : "there are " + elements + " magnitudes for " + out + " rows";
  }

  private static PlacedWeight changed(
      Adapter.Change change, PlacedWeight weight, int adapter, Weights weights) {
    String name = weight.name() + " with adapter " + adapter;
    return switch (change) {
      case Adapter.Replaced(Tensor tensor) ->
          new PlacedWeight(name, tensor.type(), tensor.shape(), () -> tensor);
      case Adapter.LowRank low -> {
        DataType type =
            switch (weight.type()) {
              case F16, BF16 -> weight.type();
              default -> DataType.F32;
            };
        Weight order = weight.order();
        yield PlacedWeight.made(
            name,
            type,
            weight.shape(),
            null,
            to ->
                write(
                    weight.tensor().get(),
                    order == null ? null : weights.numbers(order),
                    LowRankPart.of(low),
                    type,
                    to));
      }
    };
  }

  private static void write(
      Tensor base, int @Nullable [] order, LowRankPart part, DataType type, MemorySegment to) {
    int columns = part.columns();
    float[] left = part.left().get();
    float[] right = part.right().get();
    float[] magnitude = part.magnitude().map(Supplier::get).orElseGet(() -> new float[0]);
    long target = type.byteSize(columns);
    IntStream.range(0, part.rows())
        .parallel()
        .forEach(
            row -> {
              float[] values = new float[columns];
              read(base, row, order, values);
              add(values, left, right, row, part.rank());
              if (magnitude.length > 0) {
                double factor = factor(values, magnitude[row]);
                for (int i = 0; i < columns; i++) {
                  values[i] = (float) (values[i] * factor);
                }
              }
              Blocks.encode(type, values, 0, to, row * target, columns);
            });
  }

  /**
   * Reads a row of a matrix.
   *
   * @param order the numbers of its columns as {@link PlacedWeight#order} has them; null: in order
   */
  static void read(Tensor base, int row, int @Nullable [] order, float[] values) {
    long at = row * base.type().byteSize(values.length);
    if (order == null) {
      Blocks.decode(base.type(), base.data(), at, values, 0, values.length);
      return;
    }
    float[] reordered = new float[values.length];
    Blocks.decode(base.type(), base.data(), at, reordered, 0, values.length);
    for (int i = 0; i < order.length; i++) {
      values[order[i]] = reordered[i];
    }
  }

  /** {@code row += left[number] · right}. */
  static void add(float[] row, float[] left, float[] right, int number, int rank) {
    for (int i = 0; i < rank; i++) {
      float factor = left[number * rank + i];
      int at = i * row.length;
      for (int column = 0; column < row.length; column++) {
        row[column] += factor * right[at + column];
      }
    }
  }

  /** What brings a row to a length. */
  static double factor(float[] row, float length) {
    double sum = 0;
    for (float value : row) {
      sum += (double) value * value;
    }
    return length / Math.sqrt(sum);
  }
}
