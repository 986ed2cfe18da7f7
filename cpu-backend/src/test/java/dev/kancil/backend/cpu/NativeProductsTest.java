package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kancil.InvalidRequestException;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class NativeProductsTest {
  private static final int COLUMNS = 768;

  /** Each set that this processor has. */
  static List<NativeLibrary> libraries() {
    List<NativeLibrary> libraries = new ArrayList<>();
    for (InstructionSet set : InstructionSet.values()) {
      try {
        with(set.suffix(), NativeLibrary::find);
      } catch (InvalidRequestException e) {
        System.out.println("SKIPPED: this processor has no " + set.label);
        continue;
      }
      NativeLibrary library = with(set.suffix(), NativeLibrary::find).library();
      assumeTrue(library != null, "SKIPPED: there is no native library: is there a C compiler?");
      libraries.add(library);
    }
    return libraries;
  }

  /** What an action returns while the property names some kernels. */
  static <T> T with(String kernels, Supplier<T> action) {
    String before = System.getProperty(NativeLibrary.PROPERTY);
    System.setProperty(NativeLibrary.PROPERTY, kernels);
    try {
      return action.get();
    } finally {
      if (before == null) {
        System.clearProperty(NativeLibrary.PROPERTY);
      } else {
        System.setProperty(NativeLibrary.PROPERTY, before);
      }
    }
  }

  static Stream<DataType> types() {
    NativeLibrary library = with("plain", NativeLibrary::find).library();
    assumeTrue(library != null, "SKIPPED: there is no native library: is there a C compiler?");
    return Stream.of(DataType.values()).filter(library::takes);
  }

  /** Random blocks with scales that are numbers. */
  private static MemorySegment weights(DataType type, int rows, Arena arena, Random random) {
    return weights(type, rows, COLUMNS, arena, random);
  }

  static MemorySegment weights(DataType type, int rows, int columns, Arena arena, Random random) {
    long bytes = rows * type.byteSize(columns);
    MemorySegment data = arena.allocate(bytes, 64);
    if (!type.isQuantized()) {
      float[] values = new float[rows * columns];
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) random.nextGaussian();
      }
      Blocks.encode(type, values, 0, data, 0, values.length);
      return data;
    }
    byte[] noise = new byte[type.blockBytes()];
    for (long at = 0; at < bytes; at += noise.length) {
      // Any bits are quants and small scales; halves are of 1 / 4096 to 2.
      random.nextBytes(noise);
      MemorySegment.copy(noise, 0, data, ValueLayout.JAVA_BYTE, at, noise.length);
      for (int half : halves(type)) {
        short scale = Float.floatToFloat16(Math.scalb(1.5f, -random.nextInt(12)));
        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + half, scale);
      }
      if (type == DataType.SCALED_F8) {
        data.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, Math.scalb(1.3f, -random.nextInt(12)));
      }
      if (type == DataType.IQ1_M) {
        // The highest bits of d's exponent.
        data.set(ValueLayout.JAVA_BYTE, at + 55, (byte) (0x20 | noise[55] & 15));
      }
      if (type == DataType.MXFP4) {
        data.set(ValueLayout.JAVA_BYTE, at, (byte) (120 + random.nextInt(10)));
      }
    }
    return data;
  }

  private static int[] halves(DataType type) {
    return switch (type) {
      case Q6_K -> new int[] {208};
      case Q3_K -> new int[] {108};
      case Q2_K -> new int[] {80, 82};
      case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
      case TQ1_0 -> new int[] {52};
      case TQ2_0 -> new int[] {64};
      case MXFP4, SCALED_F8, NVFP4, IQ1_M -> new int[0];
      default -> new int[] {0};
    };
  }

  @ParameterizedTest
  @MethodSource("types")
  void allInstructionSetsGiveTheSameBitsForAnyNumberOfRows(DataType type) {
    Random random = new Random(type.name().hashCode());
    List<NativeLibrary> libraries = libraries();
    try (Arena arena = Arena.ofConfined()) {
      int rows = 37;
      int most = 70;
      MemorySegment weights = weights(type, rows, arena, random);
      MemorySegment x = arena.allocate(4L * most * COLUMNS, 64);
      for (int i = 0; i < most * COLUMNS; i++) {
        float magnitude = Math.scalb(1f, random.nextInt(9) - 4);
        x.setAtIndex(ValueLayout.JAVA_FLOAT, i, magnitude * (float) random.nextGaussian());
      }
      float[] decoded = new float[rows * COLUMNS];
      Blocks.decode(type, weights, 0, decoded, 0, decoded.length);
      float[] first = product(libraries.getFirst(), type, weights, rows, x, most, 1, arena);
      requireNear(first, decoded, rows, x, most, 1e-6);
      for (NativeLibrary library : libraries) {
        String name = type + " " + library.set().label;
        for (int count : new int[] {1, 2, 3, 4, 5, 6, 7, 60, 61}) {
          assertThat(product(library, type, weights, rows, x, count, 1, arena))
              .as(name + ", " + count + " rows")
              .startsWith(Arrays.copyOf(first, count * rows));
        }
      }
      float[] rounded = product(libraries.getFirst(), type, weights, rows, x, most, most, arena);
      for (NativeLibrary library : libraries) {
        String name = type + " " + library.set().label;
        RowForm form = library.product(type).form(most);
        float[] same =
            form == RowForm.BRAIN_FLOATS
                ? product(library, type, weights, rows, x, most, most, arena)
                : rounded;
        requireNear(same, decoded, rows, x, most, tolerance(form));
        for (int count : new int[] {12, 13, 17, 21, 60, 61, 69, 70}) {
          assertThat(product(library, type, weights, rows, x, count, most, arena))
              .as(name + ", " + count + " of many rows")
              .startsWith(Arrays.copyOf(same, count * rows));
        }
      }
    }
  }

  private static double tolerance(RowForm form) {
    return switch (form) {
      case FLOATS, THREE_BYTES -> 1e-6;
      case TWO_BYTES, WORDS -> 1e-4;
      case BRAIN_FLOATS -> 3e-4;
    };
  }

  /** Of y[t][row], relative to what the terms of the sum amount to. */
  private static void requireNear(
      float[] y, float[] weights, int rows, MemorySegment x, int tokens, double tolerance) {
    for (int t = 0; t < tokens; t++) {
      for (int row = 0; row < rows; row++) {
        double sum = 0;
        double squares = 0;
        for (int k = 0; k < COLUMNS; k++) {
          double term =
              (double) weights[row * COLUMNS + k]
                  * x.getAtIndex(ValueLayout.JAVA_FLOAT, t * (long) COLUMNS + k);
          sum += term;
          squares += term * term;
        }
        assertThat((double) y[t * rows + row])
            .isCloseTo(sum, Assertions.within(tolerance * Math.sqrt(COLUMNS * squares)));
      }
    }
  }

  private static float[] product(
      NativeLibrary library,
      DataType type,
      MemorySegment weights,
      int rows,
      MemorySegment x,
      int tokens,
      int stepRows,
      Arena arena) {
    TileProduct product = library.product(type);
    RowForm form = product.form(stepRows);
    long tiles = Math.ceilDiv(rows, TileProduct.ROWS);
    MemorySegment packed = arena.allocate(tiles * product.tileBytes(COLUMNS), 64);
    product.pack(weights.address(), COLUMNS, rows, packed.address());
    long from = x.address();
    long rowBytes = 4L * COLUMNS;
    if (form != RowForm.FLOATS) {
      rowBytes = library.rowBytes(COLUMNS, form);
      MemorySegment rounded = arena.allocate(tokens * rowBytes, 64);
      library.round(from, COLUMNS, tokens, rounded.address(), rowBytes, form);
      from = rounded.address();
    }
    MemorySegment y = arena.allocate(4L * tokens * rows, 64);
    product.multiply(
        packed.address(), COLUMNS, from, rowBytes, tokens, form, y.address(), rows, rows);
    return y.toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void whatIsNoNumberStaysNone() {
    for (NativeLibrary library : libraries()) {
      for (float value : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
        try (Arena arena = Arena.ofConfined()) {
          Random random = new Random(1);
          MemorySegment weights = weights(DataType.Q8_0, 5, arena, random);
          MemorySegment x = arena.allocate(4L * COLUMNS, 64);
          x.setAtIndex(ValueLayout.JAVA_FLOAT, 40, value);
          float[] y = product(library, DataType.Q8_0, weights, 5, x, 1, 1, arena);
          for (float element : y) {
            assertThat(element).isNaN();
          }
        }
      }
    }
  }

  @Test
  void aSetThatThereIsNotIsRefusedByName() {
    Assertions.assertThatThrownBy(() -> with("mmx", NativeLibrary::find))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("kancil.cpu.kernels=mmx")
        .hasMessageContaining("plain");
  }
}
