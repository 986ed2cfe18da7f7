package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.tensor.DataType;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses experts for each row: with scores {@code s = softmax(logits)} or {@code sigmoid(logits)}
 * the {@code used} experts of the largest {@code s + bias}, and for each the weight {@code factor ·
 * s}, or {@code factor · s / (Σ s + 10⁻²⁰)} over the chosen if renormalised. A softmax over the
 * chosen logits alone is a softmax over all, renormalised.
 *
 * <p>Inputs: logits, F32 [rows × experts]; optionally a bias [experts], which decides what is
 * chosen and is no part of the weight. Outputs: ids, I32 [rows × used], the first chosen first;
 * weights, F32 [rows × used].
 *
 * <p>Of equals the lower id is chosen first. Without a bias logits are compared, with which scores
 * rise, so that no rounding decides. A logit that is NaN counts as -∞. Whatever the logits are, the
 * ids of a row are different experts.
 *
 * <p>Source: Shazeer et al. 2017, "Outrageously Large Neural Networks: The Sparsely-Gated
 * Mixture-of-Experts Layer"; softmax, renormalised: Mixtral (Jiang et al. 2024) and Qwen3-MoE
 * ({@code norm_topk_prob}); sigmoid, bias and factor ({@code routed_scaling_factor}): DeepSeek-V3
 * (DeepSeek-AI 2024, section 2.1.2).
 *
 * @param used experts of a row
 * @param scoring how logits become scores
 * @param renormalised whether a row's weights are divided by their sum
 * @param factor what weights are multiplied with at last
 */
public record MoeRoute(int used, Scoring scoring, boolean renormalised, float factor)
    implements Primitive {
  /** Keeps a sum of scores that are all zero from being divided by, as DeepSeek-V3 does. */
  public static final float LEAST_SUM = 1e-20f;

  /** How logits become scores. */
  public enum Scoring {
    /** Over all experts of a row. */
    SOFTMAX,
    /** {@code 1 / (1 + e⁻ˣ)}, each expert for itself. */
    SIGMOID
  }

  public MoeRoute {
    if (used < 1) {
      throw new IllegalArgumentException(used + " experts of a row");
    }
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    if (inputs.size() != 2) {
      requireInputs(inputs, 1);
    }
    ValueType logits = floats(inputs, 0);
    require(used <= logits.columns(), () -> used + " of " + logits.columns() + " experts");
    if (inputs.size() == 2) {
      requireWeight(inputs, 1, logits.columns());
    }
    return List.of(
        new ValueType(DataType.I32, logits.rows(), used), ValueType.f32(logits.rows(), used));
  }

  /**
   * Routes one row: the definition that fast versions are held to.
   *
   * @param bias one for each logit, or null
   * @param ids receives the experts
   * @param weights receives their weights
   */
  public void route(float[] logits, float @Nullable [] bias, int[] ids, float[] weights) {
    double[] scores = scores(logits);
    float[] ranks = new float[logits.length];
    for (int expert = 0; expert < ranks.length; expert++) {
      // A score is rounded before the bias is added, so that scores which saturate are equal.
      float rank = bias == null ? logits[expert] : (float) scores[expert] + bias[expert];
      ranks[expert] =
          Float.isNaN(rank) || Float.isNaN(logits[expert]) ? Float.NEGATIVE_INFINITY : rank;
    }
    boolean[] chosen = new boolean[ranks.length];
    double sum = LEAST_SUM;
    for (int slot = 0; slot < used; slot++) {
      int best = -1;
      for (int expert = 0; expert < ranks.length; expert++) {
        if (!chosen[expert] && (best < 0 || ranks[expert] > ranks[best])) {
          best = expert;
        }
      }
      chosen[best] = true;
      ids[slot] = best;
      sum += scores[best];
    }
    for (int slot = 0; slot < used; slot++) {
      double score = scores[ids[slot]];
      weights[slot] = (float) (factor * (renormalised ? score / sum : score));
    }
  }

  private double[] scores(float[] logits) {
    double[] scores = new double[logits.length];
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Float.isNaN(logit) ? max : Math.max(max, logit);
    }
    double sum = 0;
    for (int expert = 0; expert < scores.length; expert++) {
      double logit = Float.isNaN(logits[expert]) ? Double.NEGATIVE_INFINITY : logits[expert];
      scores[expert] =
          switch (scoring) {
            case SOFTMAX -> Math.exp(logit - max);
            case SIGMOID -> 1 / (1 + Math.exp(-logit));
          };
      sum += scores[expert];
    }
    if (scoring == Scoring.SOFTMAX) {
      for (int expert = 0; expert < scores.length; expert++) {
        scores[expert] /= sum;
      }
    }
    return scores;
  }
}
