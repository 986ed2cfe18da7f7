package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.kancil.backend.host.Packing;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class VectorProductTest {
  private static final int COLUMNS = 1280;
  private static final int GROUPS = 2;
  // Of a group: whole tiles, a vector and some.
  private static final int ROWS = 2 * TileForm.ROWS + 5;

  static Stream<DataType> types() {
    return Stream.of(DataType.values())
        .filter(type -> TileForm.of(type) != null || FloatTiles.takes(type));
  }

  @ParameterizedTest
  @MethodSource("types")
  void productsAreThoseOfDecodedWeightsForAnyNumberOfRows(DataType type) {
    try (Arena arena = Arena.ofShared()) {
      Random random = new Random(type.name().hashCode());
      MemorySegment file = NativeProductsTest.weights(type, GROUPS * ROWS, COLUMNS, arena, random);
      float[] decoded = new float[GROUPS * ROWS * COLUMNS];
      Blocks.decode(type, file, 0, decoded, 0, decoded.length);
      VectorTiles weight = tiles(type, file, arena);
      for (int tokens : new int[] {1, 2, 3, 4, 7, 8, 9, 21}) {
        MemorySegment x = x(tokens, arena, random);
        float[] y = multiply(weight, x, tokens);
        for (int i = 0; i < y.length; i++) {
          int row = i % (GROUPS * ROWS);
          double expected = 0;
          double size = 0;
          for (int c = 0; c < COLUMNS; c++) {
            long at = (long) (i / (GROUPS * ROWS)) * COLUMNS + c;
            double product =
                (double) decoded[row * COLUMNS + c] * x.getAtIndex(ValueLayout.JAVA_FLOAT, at);
            expected += product;
            size += Math.abs(product);
          }
          assertThat((double) y[i])
              .describedAs("%d rows of x, product %d", tokens, i)
              .isCloseTo(expected, offset(2e-6 * size));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void aRowHasTheSameBitsAmongFewAndAmongMany(DataType type) {
    try (Arena arena = Arena.ofShared()) {
      Random random = new Random(type.name().hashCode());
      MemorySegment file = NativeProductsTest.weights(type, GROUPS * ROWS, COLUMNS, arena, random);
      VectorTiles weight = tiles(type, file, arena);
      MemorySegment x = x(40, arena, random);
      float[] one = multiply(weight, x, 1);
      assertThat(Arrays.copyOf(multiply(weight, x, 3), one.length)).isEqualTo(one);
      float[] four = multiply(weight, x, 4);
      assertThat(Arrays.copyOf(multiply(weight, x, 40), four.length)).isEqualTo(four);
    }
  }

  private static VectorTiles tiles(DataType type, MemorySegment file, Arena arena) {
    Packing packing = VectorTiles.packing(type, COLUMNS, ROWS, GROUPS);
    MemorySegment tiles = arena.allocate(packing.bytes(), 64);
    packing.pack(file, tiles);
    return VectorTiles.of(type, tiles, COLUMNS, ROWS);
  }

  private static MemorySegment x(int rows, Arena arena, Random random) {
    MemorySegment x = arena.allocate(4L * rows * COLUMNS, 64);
    for (long i = 0; i < (long) rows * COLUMNS; i++) {
      x.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
    }
    return x;
  }

  private static float[] multiply(VectorTiles weight, MemorySegment x, int count) {
    ProductRows rows = new ProductRows();
    rows.reserve(count, Math.min(count, weight.mostSingles()), COLUMNS);
    rows.begin(COLUMNS);
    boolean singles = count <= weight.mostSingles();
    for (int t = 0; t < count; t++) {
      rows.put(t, x, 4L * COLUMNS * t, COLUMNS);
      if (singles) {
        rows.shift(t, t);
      }
    }
    Scratch scratch = new Scratch(1);
    VectorProduct.reserve(scratch, count, COLUMNS, 1);
    float[] results = scratch.of(Scratch.Kind.PRODUCTS, 0);
    float[] y = new float[count * GROUPS * ROWS];
    for (int group = 0; group < GROUPS; group++) {
      for (int row = 0; row < ROWS; row += VectorProduct.ROWS) {
        VectorProduct.multiply(weight, group, row, rows, 0, 0, count, singles, scratch, 0, results);
        int some = Math.min(VectorProduct.ROWS, ROWS - row);
        for (int t = 0; t < count; t++) {
          int to = (t * GROUPS + group) * ROWS + row;
          System.arraycopy(results, t * VectorProduct.ROWS, y, to, some);
        }
      }
    }
    return y;
  }
}
