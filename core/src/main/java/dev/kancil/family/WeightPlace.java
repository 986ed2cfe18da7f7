package dev.kancil.family;

/**
 * Where a checkpoint keeps a weight, and what is to be done to it. Names have {@code {}} for the
 * number of the layer, and {@code {e}} for that of an expert; those that end in {@code .weight} end
 * in {@code .bias} where a bias is asked for.
 */
public sealed interface WeightPlace {
  /** A tensor as it is. */
  record Named(String pattern) implements WeightPlace {}

  /**
   * Some rows of a matrix, or numbers of a vector.
   *
   * @param first the first of them
   * @param total how many there are in all
   */
  record Rows(WeightPlace of, long first, long total) implements WeightPlace {}

  /**
   * The same rows of each group, one group after the other: queries, keys or values that lie head
   * by head.
   *
   * @param first the first in a group
   * @param each how many of a group
   * @param group rows of a group
   */
  record RowsOfGroups(WeightPlace of, long first, long each, long group) implements WeightPlace {}

  /** A matrix that lies [in, out]; vectors are as they are. */
  record Transposed(WeightPlace of) implements WeightPlace {}

  /** A vector to which 1 is added. */
  record PlusOne(WeightPlace of) implements WeightPlace {}

  /** One tensor for each expert, or for each row of a matrix. */
  record OfExperts(WeightPlace of) implements WeightPlace {}

  /** A vector that lies as a matrix with a row for each head. */
  record OfHeads(WeightPlace of, int heads) implements WeightPlace {}

  /** A tensor as it is. */
  static WeightPlace named(String pattern) {
    return new Named(pattern);
  }

  /** See {@link Rows}. */
  default WeightPlace rows(long first, long total) {
    return new Rows(this, first, total);
  }

  /** See {@link RowsOfGroups}. */
  default WeightPlace rowsOfGroups(long first, long each, long group) {
    return new RowsOfGroups(this, first, each, group);
  }

  /** See {@link Transposed}. */
  default WeightPlace transposed() {
    return new Transposed(this);
  }

  /** See {@link PlusOne}. */
  default WeightPlace plusOne() {
    return new PlusOne(this);
  }

  /** See {@link OfExperts}. */
  default WeightPlace ofExperts() {
    return new OfExperts(this);
  }

  /** See {@link OfHeads}. */
  default WeightPlace ofHeads(int heads) {
    return new OfHeads(this, heads);
  }
}
