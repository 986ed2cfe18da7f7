package dev.kancil.family;

import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.RotaryEmbedding;
import dev.kancil.graph.op.Score;

/**
 * A layer's attention.
 *
 * @param heads query heads
 * @param kvHeads key and value heads
 * @param keyWidth columns of a query or key head
 * @param valueWidth columns of a value head
 * @param scale what scores are multiplied by
 * @param queryKeyNorm norm of each query and key head before the rotation
 * @param rotary how positions turn queries and keys
 * @param window how many of the last positions are seen; 0: all
 * @param score what becomes of scores before the softmax
 */
public record AttentionLayer(
    int heads,
    int kvHeads,
    int keyWidth,
    int valueWidth,
    float scale,
    Norm queryKeyNorm,
    RotaryEmbedding rotary,
    int window,
    Score score) {
  /** Plain grouped-query attention: scores by the root of the width, everything before seen. */
  public static AttentionLayer grouped(
      int heads, int kvHeads, int keyWidth, int valueWidth, RotaryEmbedding rotary) {
    return new AttentionLayer(
        heads,
        kvHeads,
        keyWidth,
        valueWidth,
        (float) (1 / Math.sqrt(keyWidth)),
        Norm.NONE,
        rotary,
        0,
        Score.PLAIN);
  }

  public AttentionLayer withQueryKeyNorm(Norm norm) {
    return new AttentionLayer(
        heads, kvHeads, keyWidth, valueWidth, scale, norm, rotary, window, score);
  }

  public AttentionLayer withScale(float newScale) {
    return new AttentionLayer(
        heads, kvHeads, keyWidth, valueWidth, newScale, queryKeyNorm, rotary, window, score);
  }

  public AttentionLayer withWindow(int newWindow) {
    return new AttentionLayer(
        heads, kvHeads, keyWidth, valueWidth, scale, queryKeyNorm, rotary, newWindow, score);
  }

  public AttentionLayer withScore(Score newScore) {
    return new AttentionLayer(
        heads, kvHeads, keyWidth, valueWidth, scale, queryKeyNorm, rotary, window, newScore);
  }

  Mask mask() {
    return window == 0 ? Mask.CAUSAL : Mask.window(window);
  }
}
