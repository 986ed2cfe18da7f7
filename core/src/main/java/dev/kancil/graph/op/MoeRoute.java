package dev.kancil.graph.op;

import dev.kancil.graph.Operand;
import dev.kancil.graph.ValueType;
import dev.kancil.tensor.DataType;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Chooses experts for each row: with scores {@code s = softmax(logits)} or {@code sigmoid(logits)}
 * the {@code used} experts of the largest {@code s + bias}, and for each the weight {@code factor ·
 * s}, or {@code factor · s / (Σ s + 10⁻²⁰)} over the chosen if renormalised. A softmax over the
 * chosen logits alone is a softmax over all, renormalised.
 *
 * <p>Where experts are in groups, only those of the best groups can be chosen: groups of
 * neighbouring experts, compared as {@link Grouping} says.
 *
 * <p>Inputs: logits, F32 [rows × experts]; optionally a bias [experts], which decides what is
 * chosen and is no part of the weight. Outputs: ids, I32 [rows × used], the first chosen first;
 * weights, F32 [rows × used].
 *
 * <p>Of equals the lower id is chosen first, of experts and of groups. Without a bias, and unless
 * scores are added up for groups, logits are compared, with which scores rise, so that no rounding
 * decides. A logit that is NaN counts as -∞. Whatever the logits are, the ids of a row are
 * different experts.
 *
 * <p>Source: Shazeer et al. 2017, "Outrageously Large Neural Networks: The Sparsely-Gated
 * Mixture-of-Experts Layer"; softmax, renormalised: Mixtral (Jiang et al. 2024) and Qwen3-MoE
 * ({@code norm_topk_prob}), and with a {@link Bias} before it gpt-oss (OpenAI 2025); not
 * renormalised: OLMoE (Muennighoff et al. 2024); with groups and a factor: DeepSeek-V2 (DeepSeek-AI
 * 2024, section 2.2.2); sigmoid, bias, groups by two experts and factor ({@code
 * routed_scaling_factor}): DeepSeek-V3 (DeepSeek-AI 2024, section 2.1.2).
 *
 * @param used experts of a row
 * @param scoring how logits become scores
 * @param renormalised whether a row's weights are divided by their sum
 * @param factor what weights are multiplied with at last
 * @param grouping which experts can be chosen
 */
public record MoeRoute(
    int used, Scoring scoring, boolean renormalised, float factor, Grouping grouping)
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

  /**
   * Groups of experts, as many in each, of which the best are chosen first.
   *
   * @param groups how many there are
   * @param used how many of them a row's experts come from
   * @param ranking how they are compared
   */
  public record Grouping(int groups, int used, Ranking ranking) {
    /** All experts are one group. */
    public static final Grouping NONE = new Grouping(1, 1, Ranking.BEST);

    public Grouping {
      if (groups < 1 || used < 1 || used > groups) {
        throw new IllegalArgumentException(used + " of " + groups + " groups of experts");
      }
    }

    /** Whether there are groups that a row does not use. */
    public boolean excludes() {
      return used < groups;
    }
  }

  /** What a group is worth. */
  public enum Ranking {
    /** As much as its best expert (DeepSeek-V2). */
    BEST,
    /** The sum of {@code s + bias} of its two best experts (DeepSeek-V3). */
    SUM_OF_TWO
  }

  public MoeRoute {
    if (used < 1) {
      throw new IllegalArgumentException(used + " experts of a row");
    }
  }

  /** Without groups. */
  public MoeRoute(int used, Scoring scoring, boolean renormalised, float factor) {
    this(used, scoring, renormalised, factor, Grouping.NONE);
  }

  /** Whether experts are compared by their scores, not by their logits. */
  public boolean comparesScores(boolean hasBias) {
    return hasBias || (grouping.excludes() && grouping.ranking == Ranking.SUM_OF_TWO);
  }

  @Override
  public List<ValueType> infer(List<Operand> inputs) {
    if (inputs.size() != 2) {
      requireInputs(inputs, 1);
    }
    ValueType logits = floats(inputs, 0);
    require(used <= logits.columns(), () -> used + " of " + logits.columns() + " experts");
    int groups = grouping.groups;
    require(
        logits.columns() % groups == 0,
        () -> groups + " groups of " + logits.columns() + " experts");
    int size = logits.columns() / groups;
    require(
        used <= grouping.used * size,
        () -> used + " of " + grouping.used * size + " experts of a row's groups");
    require(grouping.ranking == Ranking.BEST || size > 1, () -> "two experts of groups of " + size);
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
    boolean comparesScores = comparesScores(bias != null);
    for (int expert = 0; expert < ranks.length; expert++) {
      // A score is rounded before the bias is added, so that scores which saturate are equal.
      float rank = comparesScores ? (float) scores[expert] : logits[expert];
      rank += bias == null ? 0 : bias[expert];
      ranks[expert] =
          Float.isNaN(rank) || Float.isNaN(logits[expert]) ? Float.NEGATIVE_INFINITY : rank;
    }
    // Those that can't be chosen any more.
    boolean[] gone = excluded(ranks);
    double sum = LEAST_SUM;
    for (int slot = 0; slot < used; slot++) {
      int best = best(ranks, gone);
      gone[best] = true;
      ids[slot] = best;
      sum += scores[best];
    }
    for (int slot = 0; slot < used; slot++) {
      double score = scores[ids[slot]];
      weights[slot] = (float) (factor * (renormalised ? score / sum : score));
    }
  }

  /** Which experts are of groups that are not used. */
  private boolean[] excluded(float[] ranks) {
    int size = ranks.length / grouping.groups;
    float[] groupRanks = new float[grouping.groups];
    for (int group = 0; group < groupRanks.length; group++) {
      boolean[] gone = new boolean[ranks.length];
      Arrays.fill(gone, true);
      Arrays.fill(gone, group * size, (group + 1) * size, false);
      int best = best(ranks, gone);
      groupRanks[group] = ranks[best];
      if (grouping.ranking == Ranking.SUM_OF_TWO) {
        gone[best] = true;
        float sum = ranks[best] + ranks[best(ranks, gone)];
        groupRanks[group] = Float.isNaN(sum) ? Float.NEGATIVE_INFINITY : sum;
      }
    }
    boolean[] chosen = new boolean[groupRanks.length];
    for (int i = 0; i < grouping.used; i++) {
      chosen[best(groupRanks, chosen)] = true;
    }
    boolean[] excluded = new boolean[ranks.length];
    for (int expert = 0; expert < excluded.length; expert++) {
      excluded[expert] = !chosen[expert / size];
    }
    return excluded;
  }

  /** The first of the largest that are not gone; there is one. */
  private static int best(float[] ranks, boolean[] gone) {
    int best = -1;
    for (int i = 0; i < ranks.length; i++) {
      if (!gone[i] && (best < 0 || ranks[i] > ranks[best])) {
        best = i;
      }
    }
    return best;
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
