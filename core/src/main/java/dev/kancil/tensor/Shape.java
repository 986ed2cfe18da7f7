package dev.kancil.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The sizes of a tensor's dimensions, outermost first (C order): a weight matrix that maps {@code
 * in} columns to {@code out} rows is {@code [out, in]}. GGUF files list them the other way round.
 *
 * @param dimensions one size for each dimension, none negative; empty for a scalar
 */
public record Shape(List<Long> dimensions) {
  public Shape {
    dimensions = List.copyOf(dimensions);
    long elements = 1;
    for (long size : dimensions) {
      if (size < 0) {
        throw new IllegalArgumentException("negative dimension in " + dimensions);
      }
      elements = Math.multiplyExact(elements, size);
    }
  }

  public static Shape of(long... dimensions) {
    return new Shape(Arrays.stream(dimensions).boxed().toList());
  }

  public int rank() {
    return dimensions.size();
  }

  /** The size of dimension {@code index}; negative indexes count from the innermost, -1. */
  public long dimension(int index) {
    return dimensions.get(index < 0 ? rank() + index : index);
  }

  public long elements() {
    long elements = 1;
    for (long size : dimensions) {
      elements *= size;
    }
    return elements;
  }

  /** Elements of one innermost row; 1 for a scalar. */
  public long columns() {
    return rank() == 0 ? 1 : dimension(-1);
  }

  /** The number of innermost rows. */
  public long rows() {
    return columns() == 0 ? 0 : elements() / columns();
  }

  @Override
  public String toString() {
    return dimensions.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }
}
