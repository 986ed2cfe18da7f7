package dev.kancil.family;

/**
 * Multi-head latent attention (DeepSeek-AI 2024, "DeepSeek-V2", section 2.1): the keys and values
 * of all heads come from one latent vector of a row, and positions turn columns of their own, of
 * which all heads' keys share one set. Only the latent vector and these turned columns are cached:
 * since a product of a query with {@code U·latent} is one of {@code Uᵀ·query} with the latent
 * vector, each head's matrix for keys is applied to queries, and that for values to what is
 * attended to.
 *
 * @param heads how many
 * @param queryRank columns of a latent vector from which queries come; 0: they come from the row
 * @param latentWidth columns of the latent vector of keys and values
 * @param plainWidth columns of a head's query or key that no position turns
 * @param valueWidth columns of a head's value
 * @param rotation how positions turn the other columns, and, as its head's width, how many they are
 * @param norm of the latent vectors
 * @param hasBias whether the products that make latent vectors, and that of the heads' results,
 *     have a bias
 * @param scale what products of queries and keys are multiplied by
 */
public record LatentAttention(
    int heads,
    int queryRank,
    int latentWidth,
    int plainWidth,
    int valueWidth,
    Rotation rotation,
    Norm norm,
    boolean hasBias,
    float scale)
    implements AttentionPart {
  /** The same where positions turn columns otherwise, and scores have another scale. */
  LatentAttention with(Rotation newRotation, float newScale) {
    return new LatentAttention(
        heads,
        queryRank,
        latentWidth,
        plainWidth,
        valueWidth,
        newRotation,
        norm,
        hasBias,
        newScale);
  }

  /** Columns of a head's query or key that positions turn. */
  int turnedWidth() {
    return rotation.embedding().headWidth();
  }

  /** The heads as queries and the cache have them, with one key for all. */
  Heads absorbed() {
    return new Heads(heads, 1, Math.addExact(latentWidth, turnedWidth()), latentWidth);
  }
}
