package dev.kancil.family;

import java.util.Optional;

/**
 * A block of a transformer: attention and a feed-forward part, each with norms before and after, of
 * which any may be the identity.
 *
 * @param residual how the parts follow each other
 * @param residualScale what a part's result is multiplied by before it is added
 * @param cross attention to the rows of an encoder, behind the other and with such a norm as that
 */
public record Block(
    Residual residual,
    Norm attentionNorm,
    AttentionPart attention,
    Norm postAttentionNorm,
    Norm feedForwardNorm,
    FeedForward feedForward,
    Norm postFeedForwardNorm,
    float residualScale,
    Optional<AttentionLayer> cross) {
  /** How parts are added to what they get. */
  public enum Residual {
    /** {@code x += post(attention(norm(x)))}, then the same with the feed-forward part. */
    SEQUENTIAL,
    /** {@code x += attention(norm₁(x)) + feedForward(norm₂(x))} (GPT-NeoX). */
    PARALLEL,
    /** As {@link #PARALLEL}, where both parts get the same norm (GPT-J). */
    PARALLEL_WITH_ONE_NORM,
    /** {@code x = norm(x + attention(x))}, then the same with the feed-forward part. */
    POST_NORM
  }

  private Block(
      Residual residual,
      Norm attentionNorm,
      AttentionPart attention,
      Norm postAttentionNorm,
      Norm feedForwardNorm,
      FeedForward feedForward,
      Norm postFeedForwardNorm) {
    this(
        residual,
        attentionNorm,
        attention,
        postAttentionNorm,
        feedForwardNorm,
        feedForward,
        postFeedForwardNorm,
        1,
        Optional.empty());
  }

  /** Norms of each sum (Vaswani et al. 2017). */
  public static Block postNorm(Norm norm, AttentionPart attention, FeedForward feedForward) {
    return new Block(Residual.POST_NORM, norm, attention, Norm.NONE, norm, feedForward, Norm.NONE);
  }

  /** Norms before each part only. */
  public static Block preNorm(Norm norm, AttentionPart attention, FeedForward feedForward) {
    return new Block(Residual.SEQUENTIAL, norm, attention, Norm.NONE, norm, feedForward, Norm.NONE);
  }

  /** Norms before and after each part. */
  public static Block sandwichNorm(Norm norm, AttentionPart attention, FeedForward feedForward) {
    return new Block(Residual.SEQUENTIAL, norm, attention, norm, norm, feedForward, norm);
  }

  /** Norms behind each part, before it is added (OLMo 2). */
  public static Block normedChanges(Norm norm, AttentionPart attention, FeedForward feedForward) {
    return new Block(Residual.SEQUENTIAL, Norm.NONE, attention, norm, Norm.NONE, feedForward, norm);
  }

  /** Both parts beside each other. */
  public static Block parallel(
      Norm norm, boolean isShared, AttentionPart attention, FeedForward feedForward) {
    return new Block(
        isShared ? Residual.PARALLEL_WITH_ONE_NORM : Residual.PARALLEL,
        norm,
        attention,
        Norm.NONE,
        isShared ? Norm.NONE : norm,
        feedForward,
        Norm.NONE);
  }

  /** The same with another {@link #residualScale}. */
  public Block withResidualScale(float scale) {
    return with(attentionNorm, attention, scale, cross);
  }

  /** The same with another norm before attention. */
  public Block withAttentionNorm(Norm norm) {
    return with(norm, attention, residualScale, cross);
  }

  /** The same with another attention. */
  public Block withAttention(AttentionPart newAttention) {
    return with(attentionNorm, newAttention, residualScale, cross);
  }

  /** The same with attention to an encoder's rows. */
  public Block withCross(AttentionLayer attentionToOthers) {
    return with(attentionNorm, attention, residualScale, Optional.of(attentionToOthers));
  }

  private Block with(
      Norm newNorm, AttentionPart newAttention, float scale, Optional<AttentionLayer> newCross) {
    return new Block(
        residual,
        newNorm,
        newAttention,
        postAttentionNorm,
        feedForwardNorm,
        feedForward,
        postFeedForwardNorm,
        scale,
        newCross);
  }
}
