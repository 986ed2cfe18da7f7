package dev.kancil.family;

import dev.kancil.format.Adapter;
import dev.kancil.tensor.Blocks;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

/**
 * What an adapter adds to a weight: {@code left · right}, the adapter's scale included. Numbers are
 * read when they are asked for.
 *
 * @param left [rows, rank]
 * @param right [rank, columns]
 * @param magnitude the lengths that rows get, [rows]; see {@link Adapter.LowRank}
 */
record LowRankPart(
    int rows,
    int columns,
    int rank,
    Supplier<float[]> left,
    Supplier<float[]> right,
    Optional<Supplier<float[]>> magnitude) {
  /** What a change adds to the tensor that it is of. */
  static LowRankPart of(Adapter.LowRank low) {
    int rank = Math.toIntExact(low.a().shape().dimension(0));
    LowRankPart part =
        new LowRankPart(
            Math.toIntExact(low.b().shape().dimension(0)),
            Math.toIntExact(low.a().shape().columns()),
            rank,
            () -> scaled(Blocks.decode(low.b()), low.scale()),
            () -> Blocks.decode(low.a()),
            low.magnitude().map(lengths -> () -> Blocks.decode(lengths)));
    return low.isTransposed() ? part.transposed() : part;
  }

  /**
   * Some of the rows.
   *
   * @param from for each the number of the row that it is
   */
  LowRankPart rows(int count, IntUnaryOperator from) {
    return new LowRankPart(
        count,
        columns,
        rank,
        () -> gathered(left.get(), rank, count, from),
        right,
        magnitude.map(lengths -> () -> gathered(lengths.get(), 1, count, from)));
  }

  /** The other way round; magnitudes are of rows, and stay where there are none. */
  LowRankPart transposed() {
    return new LowRankPart(
        columns,
        rows,
        rank,
        () -> transposed(right.get(), rank, columns),
        () -> transposed(left.get(), rows, rank),
        magnitude);
  }

  private static float[] scaled(float[] values, float scale) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= scale;
    }
    return values;
  }

  private static float[] gathered(float[] values, int width, int count, IntUnaryOperator from) {
    float[] rows = new float[count * width];
    for (int row = 0; row < count; row++) {
      System.arraycopy(values, from.applyAsInt(row) * width, rows, row * width, width);
    }
    return rows;
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
