package dev.kancil.family;

import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import java.lang.foreign.ValueLayout;

/** Embeddings of positions between those that a model learnt, as PyTorch computes them. */
final class Interpolation {
  private static final float STEEPNESS = -0.75f;

  private Interpolation() {}

  /** See {@link WeightPlace.Interpolated}. */
  static PlacedWeight of(WeightPlace.Interpolated grid, PlacedWeight learnt, Shape of) {
    return PlacedWeight.made(
        learnt.name() + "[for %d x %d]".formatted(grid.toRows(), grid.toColumns()),
        DataType.F32,
        of,
        null,
        to -> {
          float[] table = Blocks.decode(learnt.tensor().get());
          int width = Math.toIntExact(of.columns());
          for (int i = 0; i < width; i++) {
            to.setAtIndex(ValueLayout.JAVA_FLOAT, i, table[i]);
          }
          long at = width;
          for (int y = 0; y < grid.toRows(); y++) {
            Side vertical = Side.of(y, grid.rows(), grid.toRows());
            for (int x = 0; x < grid.toColumns(); x++) {
              Side horizontal = Side.of(x, grid.columns(), grid.toColumns());
              for (int i = 0; i < width; i++) {
                float sum = 0;
                for (int row = 0; row < Side.NEIGHBOURS; row++) {
                  int first = 1 + vertical.index[row] * grid.columns();
                  float ofRow = 0;
                  for (int column = 0; column < Side.NEIGHBOURS; column++) {
                    ofRow +=
                        horizontal.weight[column]
                            * table[(first + horizontal.index[column]) * width + i];
                  }
                  sum += vertical.weight[row] * ofRow;
                }
                to.setAtIndex(ValueLayout.JAVA_FLOAT, at++, sum);
              }
            }
          }
        });
  }

  /** Which positions along a side a new one is made of, and how much of each. */
  private record Side(int[] index, float[] weight) {
    private static final int NEIGHBOURS = 4;

    static Side of(int position, int count, int newCount) {
      // Middles of positions lie on each other; beyond the edge the last position goes on.
      float from = (float) count / newCount * (position + 0.5f) - 0.5f;
      int before = (int) Math.floor(from);
      float t = from - before;
      int[] index = new int[NEIGHBOURS];
      for (int i = 0; i < NEIGHBOURS; i++) {
        index[i] = Math.clamp(before - 1 + i, 0, count - 1);
      }
      return new Side(index, new float[] {far(t + 1), near(t), near(1 - t), far(2 - t)});
    }

    /** Of what is no more than 1 away. */
    private static float near(float distance) {
      return ((STEEPNESS + 2) * distance - (STEEPNESS + 3)) * distance * distance + 1;
    }

    /** Of what is 1 to 2 away. */
    private static float far(float distance) {
      return ((STEEPNESS * distance - 5 * STEEPNESS) * distance + 8 * STEEPNESS) * distance
          - 4 * STEEPNESS;
    }
  }
}
