package dev.kancil.family;

import java.util.Arrays;
import java.util.List;

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

  /**
   * The same elements in the same order, in another shape; a bias is as it is.
   *
   * @param from the shape in which they lie
   */
  record Shaped(WeightPlace of, List<Long> from) implements WeightPlace {
    public Shaped {
      from = List.copyOf(from);
    }
  }

  /** A matrix that lies [in, out], or several; vectors are as they are. */
  record Transposed(WeightPlace of) implements WeightPlace {}

  /**
   * Matrices of {@link dev.kancil.tensor.DataType#MXFP4}, of which blocks' bytes and scales lie in
   * two tensors: of shape [matrices, rows, columns / 32, 16], where a byte has two neighbours, the
   * first in its low half, and [matrices, rows, columns / 32].
   */
  record Microscaled(String blocks, String scales) implements WeightPlace {}

  /** A vector to which 1 is added; a bias is as it is. */
  record PlusOne(WeightPlace of) implements WeightPlace {}

  /** Another place for each layer, by its number. */
  record ByLayer(List<WeightPlace> places) implements WeightPlace {
    public ByLayer {
      places = List.copyOf(places);
    }
  }

  /** One tensor for each expert, or for each row of a matrix. */
  record OfExperts(WeightPlace of) implements WeightPlace {}

  /** A vector that lies as a matrix with a row for each head. */
  record OfHeads(WeightPlace of, int heads) implements WeightPlace {}

  /** A matrix of which each row lies for itself; in float32. */
  record Stacked(List<WeightPlace> rows) implements WeightPlace {
    public Stacked {
      rows = List.copyOf(rows);
    }
  }

  /**
   * A table of positions in an image, the first row for none, for more or fewer of them: each
   * column as a picture is stretched, with cubic polynomials through its neighbours (Keys 1981).
   *
   * @param rows of positions that lie there
   * @param columns of positions that lie there
   * @param toRows rows of positions that are wanted
   * @param toColumns columns of positions that are wanted
   */
  record Interpolated(WeightPlace of, int rows, int columns, int toRows, int toColumns)
      implements WeightPlace {}

  /**
   * A table of positions that no checkpoint need have: sines of a position times frequencies from 1
   * to nearly 1/10000, then the cosines (Vaswani et al. 2017).
   */
  record Sinusoids() implements WeightPlace {}

  /** Zeros, which no checkpoint has. */
  record Zeros() implements WeightPlace {}

  /** A tensor as it is. */
  static WeightPlace named(String pattern) {
    return new Named(pattern);
  }

  /** See {@link Microscaled}. */
  static WeightPlace microscaled(String blocks, String scales) {
    return new Microscaled(blocks, scales);
  }

  /** See {@link Stacked}. */
  static WeightPlace stacked(WeightPlace... rows) {
    return new Stacked(List.of(rows));
  }

  /** See {@link Rows}. */
  default WeightPlace rows(long first, long total) {
    return new Rows(this, first, total);
  }

  /** See {@link RowsOfGroups}. */
  default WeightPlace rowsOfGroups(long first, long each, long group) {
    return new RowsOfGroups(this, first, each, group);
  }

  /** See {@link Shaped}. */
  default WeightPlace shaped(long... from) {
    return new Shaped(this, Arrays.stream(from).boxed().toList());
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
