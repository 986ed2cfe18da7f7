package dev.kancil.family;

import dev.kancil.graph.RowAdapters;
import dev.kancil.graph.Weight;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What all adapters add to a weight, as matrices that a row's number chooses among. */
final class StackedFactors {
  private StackedFactors() {}

  /**
   * Stacks them, in float32, behind zeros for rows that have no adapter.
   *
   * @param choices how many a row can choose among
   * @param parts by the number of the choice
   * @param weights gets the matrices
   * @param problem is told what can't be
   */
  static RowAdapters.Factors of(
      Weight weight,
      int choices,
      Map<Integer, List<LowRankPart>> parts,
      Weights weights,
      Consumer<String> problem) {
    int out = Math.toIntExact(weight.shape().dimension(0));
    int in = Math.toIntExact(weight.shape().columns());
    int rank =
        parts.values().stream()
            .mapToInt(some -> some.stream().mapToInt(LowRankPart::rank).reduce(0, Math::addExact))
            .max()
            .orElseThrow();
    int slots = choices + 1;
    Weight down =
        keep(
            weights,
            weight,
            "down",
            Shape.of(slots, rank, in),
            to -> writeDown(parts, rank, in, to));
    Weight up =
        keep(
            weights, weight, "up", Shape.of(slots, out, rank), to -> writeUp(parts, rank, out, to));
    boolean hasMagnitudes = false;
    for (List<LowRankPart> some : parts.values()) {
      for (LowRankPart part : some) {
        if (part.magnitude().isPresent()) {
          hasMagnitudes = true;
          requireUsable(weight, some, part.magnitude().get(), problem);
        }
      }
    }
    if (!hasMagnitudes) {
      return new RowAdapters.Factors(down, up, Optional.empty());
    }
    Weight scales =
        keep(
            weights,
            weight,
            "scales",
            Shape.of(slots, out),
            to -> writeScales(weight, parts, slots, weights, to));
    return new RowAdapters.Factors(down, up, Optional.of(scales));
  }

  private static void requireUsable(
      Weight weight, List<LowRankPart> parts, Supplier<float[]> lengths, Consumer<String> problem) {
    if (parts.size() > 1) {
      problem.accept(weight.name() + " has magnitudes of several adapters at once");
      return;
    }
    for (float length : lengths.get()) {
      if (!(length >= 0)) {
        problem.accept(weight.name() + " has a magnitude of " + length);
        return;
      }
    }
  }

  private static Weight keep(
      Weights weights, Weight of, String what, Shape shape, Consumer<MemorySegment> write) {
    String name = of.name() + " of adapters, " + what;
    return weights.keep(PlacedWeight.made(name, DataType.F32, shape, null, write));
  }

  private static void writeDown(
      Map<Integer, List<LowRankPart>> parts, int rank, int in, MemorySegment to) {
    parts.forEach(
        (choice, some) -> {
          long at = (choice + 1L) * rank * in;
          for (LowRankPart part : some) {
            float[] right = part.right().get();
            MemorySegment.copy(
                right, 0, to, ValueLayout.JAVA_FLOAT, at * Float.BYTES, right.length);
            at += right.length;
          }
        });
  }

  private static void writeUp(
      Map<Integer, List<LowRankPart>> parts, int rank, int out, MemorySegment to) {
    parts.forEach(
        (choice, some) -> {
          int column = 0;
          for (LowRankPart part : some) {
            float[] left = part.left().get();
            for (int row = 0; row < out; row++) {
              long at = ((choice + 1L) * out + row) * rank + column;
              MemorySegment.copy(
                  left,
                  row * part.rank(),
                  to,
                  ValueLayout.JAVA_FLOAT,
                  at * Float.BYTES,
                  part.rank());
            }
            column += part.rank();
          }
        });
  }

  /** What each row of the sum is multiplied by to be as long as its magnitude says; 1 if none. */
  private static void writeScales(
      Weight weight,
      Map<Integer, List<LowRankPart>> parts,
      int slots,
      Weights weights,
      MemorySegment to) {
    int out = Math.toIntExact(weight.shape().dimension(0));
    for (long i = 0; i < (long) slots * out; i++) {
      to.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1);
    }
    int[] order = weights.order(weight).map(weights::numbers).orElse(null);
    Tensor base = weights.tensor(weight);
    float[] values = new float[Math.toIntExact(weight.shape().columns())];
    parts.forEach(
        (choice, some) -> {
          LowRankPart part = some.getFirst();
          if (part.magnitude().isEmpty()) {
            return;
          }
          float[] lengths = part.magnitude().get().get();
          float[] left = part.left().get();
          float[] right = part.right().get();
          for (int row = 0; row < out; row++) {
            AdaptedWeights.read(base, row, order, values);
            AdaptedWeights.add(values, left, right, row, part.rank());
            float scale = (float) AdaptedWeights.factor(values, lengths[row]);
            to.setAtIndex(ValueLayout.JAVA_FLOAT, (choice + 1L) * out + row, scale);
          }
        });
  }
}
