package dev.kancil.graph;

import dev.kancil.tensor.DataType;

/**
 * The type of a value in a graph: a matrix in C order. Heads, experts and the like lie side by side
 * in a row's columns.
 *
 * @param type element type; never quantised
 * @param rows how many rows
 * @param columns elements of one row
 */
public record ValueType(DataType type, Dimension rows, int columns) {
  public ValueType {
    if (type.isQuantized()) {
      throw new IllegalArgumentException("a value of quantised type " + type);
    }
    if (columns < 1) {
      throw new IllegalArgumentException("a value of " + columns + " columns");
    }
  }

  public static ValueType f32(Dimension rows, int columns) {
    return new ValueType(DataType.F32, rows, columns);
  }

  public long rowBytes() {
    return type.byteSize(columns);
  }

  public ValueType withColumns(int newColumns) {
    return new ValueType(type, rows, newColumns);
  }
}
