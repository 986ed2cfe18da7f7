package dev.kancil.family;

/**
 * From ids to rows: the sum of a few embeddings, normed.
 *
 * @param width columns of the residual stream
 * @param scale what token embeddings are multiplied by
 * @param positions how many positions have an embedding that is added; 0: none
 * @param norm of the sum
 * @param tokenTypes how many kinds of tokens have an embedding that is added; 0: none
 * @param inner columns of all embeddings, which a product widens; 0: as many as the stream has
 * @param features columns of rows that are brought, such as patches of images, and of which a
 *     product is added; 0: none are brought
 */
public record Embeddings(
    int width, float scale, int positions, Norm norm, int tokenTypes, int inner, int features) {
  /** Without features. */
  public Embeddings(int width, float scale, int positions, Norm norm, int tokenTypes, int inner) {
    this(width, scale, positions, norm, tokenTypes, inner, 0);
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

  /** Columns of the tables. */
  int tableColumns() {
    return inner == 0 ? width : inner;
  }
}
