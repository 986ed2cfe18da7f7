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

  /**
   * Rows of x from which on they are rounded to two bytes, since arithmetic is what they wait for.
   */
  static final int MANY = 65;

  /**
   * Bytes to which so many rows of x are rounded; with three nothing is lost that float32 would
   * keep.
   */
  static int parts(int rows) {
    return rows < MANY ? 3 : 2;
  }

  private final DataType type;
  private final MethodHandle tileBytes;
  private final MethodHandle pack;
  private final MethodHandle multiply;

  TileProduct(DataType type, NativeLibrary library) {
    this.type = type;
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

  /** Whether rows of x are rounded first; else they are taken as they lie. */
  boolean takesRounded() {
    return takesRounded(type);
  }

  /** The same of a type. */
  static boolean takesRounded(DataType type) {
    return type.isQuantized() && type != DataType.SCALED_F8;
  }

  /** What the kernels count columns in. */
  private long blocks(int columns) {
    return takesRounded() ? columns / BLOCK : columns;
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
   * @param x rows, rounded or not, {@code xBytes} from one to the next
   * @param parts as x was rounded; 2 takes {@link #MANY} rows at least, also where x is as it lies
   * @param yFloats from one row of y to the next
   */
  void multiply(
      long tiles,
      int columns,
      long x,
      long xBytes,
      int tokens,
      int parts,
      long y,
      long yFloats,
      int rows) {
    try {
      multiply.invokeExact(tiles, blocks(columns), x, xBytes, tokens, parts, y, yFloats, rows);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
