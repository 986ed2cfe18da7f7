package dev.kancil.family;

/**
 * A decoder block: {@code x += postNorm(attention(norm(x)))}, then the same with the feed-forward
 * part. Any of the four norms may be the identity.
 */
public record Block(
    Norm attentionNorm,
    AttentionLayer attention,
    Norm postAttentionNorm,
    Norm feedForwardNorm,
    FeedForward feedForward,
    Norm postFeedForwardNorm) {
  /** Norms before each part only. */
  public static Block preNorm(Norm norm, AttentionLayer attention, FeedForward feedForward) {
    return new Block(norm, attention, Norm.NONE, norm, feedForward, Norm.NONE);
  }

  /** Norms before and after each part. */
  public static Block sandwichNorm(Norm norm, AttentionLayer attention, FeedForward feedForward) {
    return new Block(norm, attention, norm, norm, feedForward, norm);
  }
}
