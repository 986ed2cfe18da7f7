package dev.kancil.family;

import dev.kancil.format.Adapter;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

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

  /** The same weight, or what adapters make of it; what is wrong goes to {@code weights}. */
  PlacedWeight of(String name, PlacedWeight weight, Weights weights) {
    PlacedWeight adapted = weight;
    for (int i = 0; i < adapters.size(); i++) {
      Adapter.Change change = adapters.get(i).changes().get(name);
      if (change == null) {
        continue;
      }
      met.add(new Target(i, name));
      String problem = problem(change, weight);
      if (problem.isEmpty()) {
        adapted = changed(change, adapted, i);
      } else {
        weights.problem(adapters.get(i).name() + ": of " + name + ", " + problem);
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
    if (weight.order() != null) {
      return "columns are in an order of their own, in which nothing is added";
    }
    return switch (change) {
      case Adapter.Replaced(Tensor tensor) ->
          tensor.shape().equals(weight.shape())
              ? ""
              : "the shape is " + tensor.shape() + ", not " + weight.shape();
      case Adapter.LowRank low -> problem(low, weight.shape());
    };
  }

  private static String problem(Adapter.LowRank low, Shape shape) {
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

  private static PlacedWeight changed(Adapter.Change change, PlacedWeight weight, int adapter) {
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
        yield PlacedWeight.made(
            name, type, weight.shape(), null, to -> write(weight.tensor().get(), low, type, to));
      }
    };
  }

  private static void write(Tensor base, Adapter.LowRank low, DataType type, MemorySegment to) {
    int rows = Math.toIntExact(base.shape().dimension(0));
    int columns = Math.toIntExact(base.shape().columns());
    float[] a = Blocks.decode(low.a());
    float[] b = Blocks.decode(low.b());
    int rank = Math.toIntExact(low.a().shape().dimension(0));
    float[] left = low.isTransposed() ? transposed(a, rank, rows) : b;
    float[] right = low.isTransposed() ? transposed(b, columns, rank) : a;
    float[] magnitude = low.magnitude().map(Blocks::decode).orElseGet(() -> new float[0]);
    long source = base.type().byteSize(columns);
    long target = type.byteSize(columns);
    IntStream.range(0, rows)
        .parallel()
        .forEach(
            row -> {
              float[] values = new float[columns];
              Blocks.decode(base.type(), base.data(), row * source, values, 0, columns);
              add(values, left, right, row, rank, low.scale());
              if (magnitude.length > 0) {
                scale(values, magnitude[row]);
              }
              Blocks.encode(type, values, 0, to, row * target, columns);
            });
  }

  /** {@code row += scale · left[row] · right}. */
  private static void add(
      float[] row, float[] left, float[] right, int number, int rank, float scale) {
    for (int i = 0; i < rank; i++) {
      float factor = scale * left[number * rank + i];
      int at = i * row.length;
      for (int column = 0; column < row.length; column++) {
        row[column] += factor * right[at + column];
      }
    }
  }

  private static void scale(float[] row, float length) {
    double sum = 0;
    for (float value : row) {
      sum += (double) value * value;
    }
    double factor = length / Math.sqrt(sum);
    for (int i = 0; i < row.length; i++) {
      row[i] = (float) (row[i] * factor);
    }
  }

  private static float[] transposed(float[] values, int rows, int columns) {
    float[] other = new float[values.length];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        other[column * rows + row] = values[row * columns + column];
      }
    }
    return other;
  }
}
