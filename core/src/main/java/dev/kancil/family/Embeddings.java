package dev.kancil.family;

/**
 * From ids to rows: the sum of a few embeddings, normed.
 *
 * @param width columns of the residual stream
 * @param scale what token embeddings are multiplied by
 * @param positions how many positions have an embedding that is added; 0: none
 * @param norm of the sum
 * @param tokenTypes how many kinds of tokens have an embedding that is added; 0: none
 * @param inner what of them is narrower than the stream
 * @param features columns of rows that are brought, such as patches of images, and of which a
 *     product is added; 0: none are brought
 */
public record Embeddings(
    int width, float scale, int positions, Norm norm, int tokenTypes, Inner inner, int features) {
  /**
   * Narrower embeddings, which a product widens.
   *
   * @param columns that they have; 0: as many as the stream
   * @param isOfTokens whether those of tokens alone are, whose product has no bias, and of which
   *     rows are made again for the head; otherwise the sum is
   */
  public record Inner(int columns, boolean isOfTokens) {
    /** None are. */
    public static final Inner NONE = new Inner(0, false);
  }

  /** Without features. */
  public Embeddings(int width, float scale, int positions, Norm norm, int tokenTypes, int inner) {
    this(width, scale, positions, norm, tokenTypes, new Inner(inner, false), 0);
  }

  /** Of tokens and positions. */
  public Embeddings(int width, float scale, int positions, Norm norm) {
    this(width, scale, positions, norm, 0, 0);
  }

  /** Without a norm. */
  public Embeddings(int width, float scale, int positions) {
    this(width, scale, positions, Norm.NONE);
  }

  /** Token embeddings alone. */
  public static Embeddings of(int width) {
    return new Embeddings(width, 1, 0);
  }

  /** Columns of the table of tokens. */
  int tokenColumns() {
    return inner.columns == 0 ? width : inner.columns;
  }

  /** Columns of what is added to them. */
  int sumColumns() {
    return inner.isOfTokens ? width : tokenColumns();
  }
}
