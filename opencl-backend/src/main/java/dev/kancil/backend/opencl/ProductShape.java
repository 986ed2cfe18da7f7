package dev.kancil.backend.opencl;

import dev.kancil.backend.accelerator.Grid;
import dev.kancil.tensor.DataType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How work-items divide products, as suits a device: on a processor few items with long vectors of
 * their own, on a graphics processor many that share rows.
 *
 * @param one of one token, in {@code mat_vec.cl}
 * @param few of {@link Few#TOKENS} tokens at a time, in {@code mat_vec.cl}
 * @param fewTokens the most tokens that {@code few} is for
 * @param many of more, in {@code mat_mul.cl} or {@code integer_mat_mul.cl}
 */
record ProductShape(Few one, Few few, int fewTokens, Many many) {
  /** Of each row and token of a group, at most, in local memory; see {@code integer_mat_mul.cl}. */
  private static final int INTEGER_TILE_BYTES = 192;

  /** Whether products of some number of tokens need rounded activations. */
  boolean roundsActivations() {
    return Stream.of(one.arithmetic(), few.arithmetic(), many.arithmetic())
        .anyMatch(Arithmetic.INTEGERS::equals);
  }

  /**
   * What a device may do best, the likeliest first.
   *
   * @param one of one token
   * @param few of few tokens
   * @param many of many
   */
  record Choices(List<Few> one, List<Few> few, List<Many> many) {
    /** The first of each: what is right without having measured. */
    ProductShape likeliest() {
      return new ProductShape(one.getFirst(), few.getFirst(), Few.TOKENS, many.getFirst());
    }

    /** Each with other arithmetic, too, and first: what is not measured is what was allowed. */
    private Choices with(Arithmetic other, ClDevice device) {
      Stream<Many> tiled =
          many.stream().map(shape -> shape.with(other)).filter(shape -> shape.fits(device));
      return new Choices(
          other == Arithmetic.HALVES ? one : with(other, one),
          other == Arithmetic.HALVES ? few : with(other, few),
          Stream.concat(tiled, many.stream()).toList());
    }

    private static List<Few> with(Arithmetic other, List<Few> shapes) {
      return Stream.concat(shapes.stream().map(shape -> shape.with(other)), shapes.stream())
          .toList();
    }
  }

  /**
   * @param lanes items that share a row
   * @param rowItems items of a work-group beside each other
   * @param rowsPerItem rows that an item has at once
   * @param subGroups whether lanes are summed by the device's sub-groups; only with one row item
   * @param arithmetic floats or integers
   */
  record Few(int lanes, int rowItems, int rowsPerItem, boolean subGroups, Arithmetic arithmetic) {
    /** Tokens that a launch for few of them has at once. */
    static final int TOKENS = 8;

    Few(int lanes, int rowItems, int rowsPerItem) {
      this(lanes, rowItems, rowsPerItem, false, Arithmetic.FLOATS);
    }

    Few with(Arithmetic other) {
      return new Few(lanes, rowItems, rowsPerItem, subGroups, other);
    }

    Map<String, String> defines() {
      Map<String, String> defines = new HashMap<>(arithmetic.defines());
      defines.put("LANES", String.valueOf(lanes));
      defines.put("ROW_ITEMS", String.valueOf(rowItems));
      defines.put("ROWS_PER_ITEM", String.valueOf(rowsPerItem));
      if (subGroups) {
        defines.put("SUB_GROUPS", "");
      }
      return defines;
    }

    /** Products of a matrix's rows with {@code tokens} tokens at a time. */
    Grid grid(int rows, int tokens) {
      return grid(rows, count -> Math.ceilDiv(count, tokens));
    }

    /**
     * Products of a matrix's rows.
     *
     * @param times how many, for so many tokens of a step
     */
    Grid grid(int rows, Grid.LongGroups times) {
      long rowGroups = Math.ceilDiv(rows, rowItems * rowsPerItem);
      return new Grid(
          new long[] {lanes, rowItems, 1},
          (count, groups) -> {
            groups[0] = 1;
            groups[1] = rowGroups;
            groups[2] = times.of(count);
          });
    }
  }

  /**
   * @param rowItems items of a work-group beside each other
   * @param tokenItems items of a work-group one after the other
   * @param vector rows in a vector
   * @param rowVectors vectors of rows that an item has
   * @param tokensPerItem tokens of which an item keeps sums at once
   * @param tokenTiles how many times so many it does in turn
   * @param depth columns that are decoded at a time; of integers, the kernel knows how many
   * @param arithmetic floats, integers or halves
   */
  record Many(
      int rowItems,
      int tokenItems,
      int vector,
      int rowVectors,
      int tokensPerItem,
      int tokenTiles,
      int depth,
      Arithmetic arithmetic) {
    Many(
        int rowItems,
        int tokenItems,
        int vector,
        int rowVectors,
        int tokensPerItem,
        int tokenTiles,
        int depth) {
      this(
          rowItems,
          tokenItems,
          vector,
          rowVectors,
          tokensPerItem,
          tokenTiles,
          depth,
          Arithmetic.FLOATS);
    }

    private Many with(Arithmetic other) {
      return new Many(
          rowItems, tokenItems, vector, rowVectors, tokensPerItem, tokenTiles, depth, other);
    }

    String kernel() {
      return arithmetic == Arithmetic.INTEGERS ? "integer_mat_mul" : "mat_mul";
    }

    private int groupRows() {
      return rowItems * rowVectors * vector;
    }

    private int groupTokens() {
      return tokenItems * tokensPerItem * tokenTiles;
    }

    private boolean fits(ClDevice device) {
      // A little padding included.
      long each =
          switch (arithmetic) {
            case FLOATS -> Float.BYTES * depth;
            case INTEGERS -> INTEGER_TILE_BYTES;
            case HALVES -> Short.BYTES * depth;
          };
      long bytes = each * (groupRows() + groupTokens() + 2 * 16);
      return bytes <= device.localBytes() && rowItems * tokenItems <= device.largestGroup();
    }

    Map<String, String> defines() {
      Map<String, String> defines = new HashMap<>(arithmetic.defines());
      defines.put("ROW_ITEMS", String.valueOf(rowItems));
      defines.put("TOKEN_ITEMS", String.valueOf(tokenItems));
      defines.put("VECTOR", String.valueOf(vector));
      defines.put("ROW_VECTORS", String.valueOf(rowVectors));
      defines.put("TOKENS_PER_ITEM", String.valueOf(tokensPerItem));
      defines.put("TOKEN_TILES", String.valueOf(tokenTiles));
      if (arithmetic != Arithmetic.INTEGERS) {
        defines.put("DEPTH", String.valueOf(depth));
      }
      return defines;
    }

    Grid grid(int rows) {
      long rowGroups = Math.ceilDiv(rows, groupRows());
      return new Grid(
          new long[] {rowItems, tokenItems},
          (count, groups) -> {
            groups[0] = rowGroups;
            groups[1] = Math.ceilDiv(count, groupTokens());
          });
    }
  }

  /** What kernels that read a matrix of weights are compiled with. */
  static Map<String, String> weightDefines(ClDevice device, DataType type, int columns) {
    Map<String, String> defines = new HashMap<>();
    defines.put("WEIGHT_" + type.name(), "");
    defines.put("COLUMNS", String.valueOf(columns));
    if (device.isProcessor()) {
      defines.put("HALF_BY_SCALING", "");
    }
    return defines;
  }

  /** Shapes that this device can run, of products with weights of a type. */
  static Choices choices(ClDevice device, DataType type) {
    Choices choices = floats(device);
    for (Arithmetic other : device.arithmetic()) {
      if (other != Arithmetic.FLOATS && other.suits(type)) {
        choices = choices.with(other, device);
      }
    }
    return choices;
  }

  /** Of them, those that multiply floats. */
  static Choices floats(ClDevice device) {
    return device.isProcessor() ? ofProcessor(device) : ofGraphics(device);
  }

  private static Choices ofProcessor(ClDevice device) {
    int vector = device.floatVector();
    int rowVectors = vector == 16 ? 4 : 2;
    List<Many> many =
        List.of(
            new Many(1, 1, vector, rowVectors, 4, 32, 64),
            new Many(1, 1, vector, rowVectors, 6, 16, 64),
            new Many(1, 1, vector, rowVectors, 4, 8, 64),
            new Many(1, 1, vector, 2, 4, 2, 16));
    return new Choices(
        List.of(new Few(1, 8, 1), new Few(1, 4, 2), new Few(1, 16, 1)),
        List.of(new Few(1, 4, 2), new Few(1, 8, 1)),
        many.stream().filter(shape -> shape.fits(device)).toList());
  }

  private static Choices ofGraphics(ClDevice device) {
    List<Few> few =
        List.of(
            new Few(32, 1, 1, true, Arithmetic.FLOATS),
            new Few(32, 1, 2, true, Arithmetic.FLOATS),
            new Few(32, 4, 1),
            new Few(32, 4, 2),
            new Few(16, 8, 1),
            new Few(64, 2, 1));
    List<Few> runnable =
        few.stream()
            .filter(shape -> !shape.subGroups() || device.hasSubGroups())
            .filter(shape -> shape.lanes() * shape.rowItems() <= device.largestGroup())
            .toList();
    List<Many> many =
        List.of(
            new Many(16, 16, 4, 1, 4, 1, 32),
            new Many(16, 16, 4, 2, 8, 1, 16),
            new Many(16, 16, 4, 1, 8, 1, 32),
            new Many(16, 8, 4, 1, 8, 1, 32),
            new Many(8, 8, 4, 1, 4, 1, 32),
            new Many(8, 4, 4, 1, 4, 1, 16));
    return new Choices(
        runnable, runnable, many.stream().filter(shape -> shape.fits(device)).toList());
  }
}
