package dev.kancil.backend.cpu;

import dev.kancil.tensor.DataType;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Locale;

/**
 * Native products of one type of weights, whose rows lie as tiles of {@link #ROWS} (products.h).
 * All addresses are the caller's to keep alive and to have checked.
 */
final class TileProduct {
  /** Rows of a tile. */
  static final int ROWS = 16;

  private static final int BLOCK = 32;

  /** Rows of x from which on they are rounded more, since arithmetic is what they wait for. */
  static final int MANY = 17;

  /** Rows that a call takes at least where x is as {@link #MANY} rows are rounded. */
  static final int LEAST_OF_MANY = 12;

  private final DataType type;
  private final RowForm few;
  private final RowForm many;
  private final MethodHandle tileBytes;
  private final MethodHandle pack;
  private final MethodHandle multiply;

  TileProduct(DataType type, NativeLibrary library) {
    this.type = type;
    if (hasCodebook(type)) {
      library.takeCodebooks();
    }
    few = rounds(type) ? RowForm.THREE_BYTES : RowForm.FLOATS;
    many = manyRows(type, library);
    String name = type.name().toLowerCase(Locale.ROOT);
    tileBytes =
        library.function(
            "tile_bytes_" + name,
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    pack =
        library.function(
            "pack_" + name,
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG));
    multiply =
        library.function(
            "multiply_" + name,
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
  }

  /** Whether weights are whole numbers, for which x is rounded. */
  private static boolean rounds(DataType type) {
    return type.isQuantized() && type != DataType.SCALED_F8;
  }

  private static boolean hasCodebook(DataType type) {
    return switch (type) {
      case IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S -> true;
      default -> false;
    };
  }

  private static RowForm manyRows(DataType type, NativeLibrary library) {
    return switch (type) {
      case Q3_K, Q4_K, Q5_K, Q6_K, IQ4_XS -> RowForm.WORDS;
      case BF16 -> library.hasBrainFloats() ? RowForm.BRAIN_FLOATS : RowForm.FLOATS;
      default -> {
        RowForm rounded = hasCodebook(type) ? RowForm.WORDS : RowForm.TWO_BYTES;
        yield rounds(type) ? rounded : RowForm.FLOATS;
      }
    };
  }

  /**
   * How a step of so many rows takes x. With {@link RowForm#THREE_BYTES} nothing is lost that
   * float32 would keep.
   */
  RowForm form(int rows) {
    return rows < MANY ? few : many;
  }

  /** Whether another type's products take x alike, whatever the number of rows is. */
  boolean takesLike(TileProduct other) {
    return few == other.few && many == other.many;
  }

  /** What the kernels count columns in. */
  private long blocks(int columns) {
    return rounds(type) ? columns / BLOCK : columns;
  }

  /** Bytes of a tile of so many columns. */
  long tileBytes(int columns) {
    try {
      return (long) tileBytes.invokeExact(blocks(columns));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Lays {@code rows} rows as a file has them into zeroed tiles. */
  void pack(long from, int columns, long rows, long tiles) {
    try {
      pack.invokeExact(from, type.byteSize(columns), blocks(columns), rows, tiles);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * {@code y[t][i] = row i · x[t]} for the first {@code rows} rows of some tiles.
   *
   * @param x rows, {@code xBytes} from one to the next
   * @param form how they lie; those of many rows take {@link #LEAST_OF_MANY} at least
   * @param yFloats from one row of y to the next
   */
  void multiply(
      long tiles,
      int columns,
      long x,
      long xBytes,
      int tokens,
      RowForm form,
      long y,
      long yFloats,
      int rows) {
    try {
      multiply.invokeExact(tiles, blocks(columns), x, xBytes, tokens, form.code, y, yFloats, rows);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
