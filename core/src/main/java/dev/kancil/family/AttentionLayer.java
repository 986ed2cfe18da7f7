package dev.kancil.family;

import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.Score;
import java.util.Optional;

/**
 * A layer's attention.
 *
 * @param heads how many, and how wide
 * @param biases which of its products have a bias
 * @param queryKeyNorm of queries and keys before the rotation
 * @param clamp how large queries, keys and values can be before the rotation; 0: as they are
 * @param rotation how positions turn queries and keys, if they do
 * @param scores what becomes of products of queries and keys
 */
public record AttentionLayer(
    Heads heads,
    Biases biases,
    QueryKeyNorm queryKeyNorm,
    float clamp,
    Optional<Rotation> rotation,
    Scores scores)
    implements AttentionPart {
  /**
   * Which products have a bias.
   *
   * @param input those of queries, keys and values
   * @param output that of the heads' results
   */
  public record Biases(boolean input, boolean output) {
    /** None. */
    public static final Biases NONE = new Biases(false, false);
  }

  /**
   * A norm of queries and keys.
   *
   * @param isOfWhole whether all heads are normed together, with a weight as wide, not each for
   *     itself
   */
  public record QueryKeyNorm(Norm norm, boolean isOfWhole) {
    /** No norm. */
    public static final QueryKeyNorm NONE = new QueryKeyNorm(Norm.NONE, false);

    /** Of each head for itself. */
    public static QueryKeyNorm ofHeads(Norm norm) {
      return new QueryKeyNorm(norm, false);
    }

    /** Of all heads together. */
    public static QueryKeyNorm ofWhole(Norm norm) {
      return new QueryKeyNorm(norm, true);
    }
  }

  /**
   * From products to weights.
   *
   * @param scale what products are multiplied by
   * @param score what becomes of that
   * @param window how many of the last positions are seen, or, of both ways, how far away; 0: all
   * @param hasSinks whether each head has a sink ({@link dev.kancil.graph.op.Attention})
   * @param isBothWays whether rows see those behind them, too
   */
  public record Scores(float scale, Score score, int window, boolean hasSinks, boolean isBothWays) {
    Mask mask() {
      if (isBothWays) {
        return window == 0 ? Mask.EVERYTHING : Mask.around(window);
      }
      return window == 0 ? Mask.CAUSAL : Mask.window(window);
    }

    /** How many of the last positions are kept for rows to come; 0: all. */
    int kept() {
      return isBothWays ? 0 : window;
    }
  }

  /** Plain grouped-query attention: scores by the root of the width, everything before seen. */
  public static AttentionLayer of(Heads heads) {
    return new AttentionLayer(
        heads,
        Biases.NONE,
        QueryKeyNorm.NONE,
        0,
        Optional.empty(),
        new Scores((float) (1 / Math.sqrt(heads.keyWidth())), Score.PLAIN, 0, false, false));
  }

  /** The same with biases. */
  public AttentionLayer with(Biases newBiases) {
    return new AttentionLayer(heads, newBiases, queryKeyNorm, clamp, rotation, scores);
  }

  /** The same with normed queries and keys. */
  public AttentionLayer with(QueryKeyNorm norm) {
    return new AttentionLayer(heads, biases, norm, clamp, rotation, scores);
  }

  /** The same with queries, keys and values no larger than that; 0: as large as they are. */
  public AttentionLayer withClamp(double limit) {
    return new AttentionLayer(heads, biases, queryKeyNorm, (float) limit, rotation, scores);
  }

  /** The same with turned queries and keys. */
  public AttentionLayer with(Rotation newRotation) {
    return new AttentionLayer(heads, biases, queryKeyNorm, clamp, Optional.of(newRotation), scores);
  }

  /** The same with another scale. */
  public AttentionLayer withScale(double scale) {
    return with(
        new Scores((float) scale, scores.score, scores.window, scores.hasSinks, scores.isBothWays));
  }

  /** The same with a window; 0: none. */
  public AttentionLayer withWindow(int window) {
    return with(new Scores(scores.scale, scores.score, window, scores.hasSinks, scores.isBothWays));
  }

  /** The same where scores become others. */
  public AttentionLayer withScore(Score score) {
    return with(new Scores(scores.scale, score, scores.window, scores.hasSinks, scores.isBothWays));
  }

  /** The same with a sink for each head. */
  public AttentionLayer withSinks() {
    return with(new Scores(scores.scale, scores.score, scores.window, true, scores.isBothWays));
  }

  /** The same where rows see those behind them, too. */
  public AttentionLayer bothWays() {
    return with(new Scores(scores.scale, scores.score, scores.window, scores.hasSinks, true));
  }

  private AttentionLayer with(Scores newScores) {
    return new AttentionLayer(heads, biases, queryKeyNorm, clamp, rotation, newScores);
  }
}
