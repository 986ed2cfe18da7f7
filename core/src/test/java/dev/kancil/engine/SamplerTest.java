package dev.kancil.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.InvalidRequestException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
  private static final float[] LOGITS = {1, 3, -2, 0.5f, 2, 3, -5, 1.5f};

  private static Sampling sampling(float temperature, int topK, float topP, float minP, long seed) {
    return new Sampling(temperature, topK, topP, minP, 1, 0, 0, Map.of(), seed);
  }

  private static int sample(Sampling sampling, float[] logits, int position) {
    return sample(new Sampler(sampling, logits.length), logits, position);
  }

  private static int sample(Sampler sampler, float[] logits, int position) {
    try (SampledRows rows = new SampledRows(logits)) {
      return rows.sample(sampler, position);
    }
  }

  /** How often each id is drawn at the first positions. */
  private static int[] draws(Sampling sampling, float[] logits, int count) {
    int[] counts = new int[logits.length];
    try (SampledRows rows = new SampledRows(logits)) {
      for (int token : rows.sample(new Sampler(sampling, logits.length), 0, count)) {
        counts[token]++;
      }
    }
    return counts;
  }

  private static Set<Integer> drawn(Sampling sampling, float[] logits) {
    int[] counts = draws(sampling, logits, 20_000);
    Set<Integer> ids = new TreeSet<>();
    for (int id = 0; id < counts.length; id++) {
      if (counts[id] > 0) {
        ids.add(id);
      }
    }
    return ids;
  }

  private static double[] softmax(float[] logits, double temperature) {
    double[] p = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp(logits[i] / temperature);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  @Test
  void greedyTakesTheFirstOfTheLikeliest() {
    assertThat(sample(Sampling.GREEDY, LOGITS, 0)).isEqualTo(1);
    assertThat(sample(sampling(1, 1, 1, 0, 7), LOGITS, 0)).isEqualTo(1);
    assertThat(sample(Sampling.GREEDY, new float[] {-3, -2, -2}, 0)).isEqualTo(1);
  }

  @Test
  void aDrawDependsOnSeedAndPositionAlone() {
    Sampling sampling = sampling(1, 0, 1, 0, 42);
    try (SampledRows rows = new SampledRows(LOGITS)) {
      int[] together = rows.sample(new Sampler(sampling, LOGITS.length), 0, 50);
      for (int position = 49; position >= 0; position--) {
        assertThat(sample(sampling, LOGITS, position)).isEqualTo(together[position]);
      }
    }
    assertThat(draws(sampling(1, 0, 1, 0, 1), LOGITS, 100))
        .isNotEqualTo(draws(sampling(1, 0, 1, 0, 2), LOGITS, 100));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1, 2})
  void drawsFollowTheDistribution(double temperature) {
    for (long seed : new long[] {0, 1, -1, 1L << 40}) {
      int count = 100_000;
      int[] counts = draws(sampling((float) temperature, 0, 1, 0, seed), LOGITS, count);
      double[] p = softmax(LOGITS, temperature);
      double chiSquare = 0;
      for (int i = 0; i < p.length; i++) {
        double expected = p[i] * count;
        chiSquare += (counts[i] - expected) * (counts[i] - expected) / Math.max(expected, 1e-9);
      }
      // Seven degrees of freedom: 29.9 is exceeded by chance one time in ten thousand.
      assertThat(chiSquare).as("seed %s", seed).isLessThan(29.9);
    }
  }

  @Test
  void drawsOfNeighbouringPositionsAreIndependent() {
    int[][] pairs = new int[8][8];
    for (int i = 0; i < 80_000; i++) {
      pairs[(int) (Sampler.random(3, i) >>> 61)][(int) (Sampler.random(3, i + 1) >>> 61)]++;
    }
    double chiSquare = 0;
    for (int[] row : pairs) {
      for (int count : row) {
        chiSquare += (count - 1250.0) * (count - 1250.0) / 1250;
      }
    }
    // 63 degrees of freedom: exceeded one time in ten thousand.
    assertThat(chiSquare).isLessThan(112);
  }

  @Test
  void topKKeepsTheLikeliest() {
    assertThat(drawn(sampling(1, 3, 1, 0, 1), LOGITS)).containsExactly(1, 4, 5);
    assertThat(drawn(sampling(5, 4, 1, 0, 1), LOGITS)).containsExactly(1, 4, 5, 7);
    assertThat(drawn(sampling(50, 100, 1, 0, 1), LOGITS)).hasSize(LOGITS.length);
  }

  @Test
  void equalLogitsAreKeptByTheirIds() {
    float[] equal = new float[50];
    assertThat(drawn(sampling(1, 3, 1, 0, 1), equal)).containsExactly(0, 1, 2);
  }

  @Test
  void topPKeepsTheLikeliestUntilTheirSumSuffices() {
    double[] p = softmax(LOGITS, 1);
    float justBelow = (float) (p[1] + p[5] - 1e-4);
    float justAbove = (float) (p[1] + p[5] + 1e-4);
    assertThat(drawn(sampling(1, 0, justBelow, 0, 1), LOGITS)).containsExactly(1, 5);
    assertThat(drawn(sampling(1, 0, justAbove, 0, 1), LOGITS)).containsExactly(1, 4, 5);
    assertThat(drawn(sampling(1, 0, 1e-6f, 0, 1), LOGITS)).containsExactly(1);
    // After top-k it is a share of what top-k left.
    assertThat(drawn(sampling(1, 3, 0.78f, 0, 1), LOGITS)).containsExactly(1, 5);
    assertThat(drawn(sampling(1, 3, 0.9f, 0, 1), LOGITS)).containsExactly(1, 4, 5);
  }

  @Test
  void minPDropsWhatIsFarLessLikelyThanTheLikeliest() {
    float share = (float) Math.exp(-1);
    assertThat(drawn(sampling(1, 0, 1, share - 1e-4f, 1), LOGITS)).containsExactly(1, 4, 5);
    assertThat(drawn(sampling(1, 0, 1, share + 1e-4f, 1), LOGITS)).containsExactly(1, 5);
    assertThat(drawn(sampling(1, 0, 0.999f, share + 1e-4f, 1), LOGITS)).containsExactly(1, 5);
    assertThat(drawn(sampling(1, 0, 1, 1, 1), LOGITS)).containsExactly(1, 5);
  }

  @Test
  void whatIsKeptEqualsAPlainComputation() {
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < 40; i++) {
      float[] logits = new float[random.nextInt(1, 40)];
      // Few distinct values, so that many are equal.
      for (int id = 0; id < logits.length; id++) {
        logits[id] = random.nextInt(6);
      }
      int topK = random.nextBoolean() ? 0 : random.nextInt(1, logits.length + 1);
      float topP = random.nextBoolean() ? 1 : (float) random.nextDouble(0.1, 1);
      float minP = random.nextBoolean() ? 0 : (float) random.nextDouble(0.1, 1);
      assertThat(drawn(sampling(3, topK, topP, minP, i), logits))
          .isEqualTo(kept(logits, 3, topK, topP, minP));
    }
  }

  private static Set<Integer> kept(
      float[] logits, double temperature, int topK, double topP, double minP) {
    double[] p = softmax(logits, temperature);
    Integer[] order = new Integer[p.length];
    Arrays.setAll(order, id -> id);
    Arrays.sort(order, (a, b) -> Double.compare(p[b], p[a]));
    int live = topK == 0 ? p.length : Math.min(topK, p.length);
    double total = 0;
    for (int i = 0; i < live; i++) {
      total += p[order[i]];
    }
    Set<Integer> kept = new TreeSet<>();
    double sum = 0;
    for (int i = 0; i < live && sum < topP * total; i++) {
      sum += p[order[i]];
      if (p[order[i]] >= minP * p[order[0]]) {
        kept.add(order[i]);
      }
    }
    return kept;
  }

  @Test
  void penaltiesLowerWhatWasSeen() {
    // 1 and 5 are equally likely; what was generated falls behind.
    Sampler presence =
        new Sampler(new Sampling(0, 0, 1, 0, 1, 0.1f, 0, Map.of(), 0), LOGITS.length);
    assertThat(sample(presence, LOGITS, 0)).isEqualTo(1);
    presence.accept(1);
    assertThat(sample(presence, LOGITS, 1)).isEqualTo(5);
    presence.acceptPrompt(5);
    assertThat(sample(presence, LOGITS, 1)).isEqualTo(5);

    Sampler frequency =
        new Sampler(new Sampling(0, 0, 1, 0, 1, 0, 0.6f, Map.of(), 0), LOGITS.length);
    frequency.accept(1);
    frequency.accept(5);
    assertThat(sample(frequency, LOGITS, 2)).isEqualTo(1);
    frequency.accept(1);
    frequency.accept(5);
    // 3 - 2 · 0.6 is less than the 2 of the next.
    assertThat(sample(frequency, LOGITS, 4)).isEqualTo(4);

    Sampler repetition = new Sampler(new Sampling(0, 0, 1, 0, 2, 0, 0, Map.of(), 0), LOGITS.length);
    repetition.acceptPrompt(1);
    repetition.acceptPrompt(5);
    assertThat(sample(repetition, LOGITS, 0)).isEqualTo(4);
  }

  @Test
  void aRepetitionPenaltyMakesNegativeLogitsSmaller() {
    Sampler sampler = new Sampler(new Sampling(0, 0, 1, 0, 1.5f, 0, 0, Map.of(), 0), 2);
    sampler.acceptPrompt(0);
    assertThat(sample(sampler, new float[] {-1, -1.2f}, 0)).isEqualTo(1);
    assertThat(sample(sampler, new float[] {-1, -1.6f}, 0)).isEqualTo(0);
  }

  @Test
  void biasRaisesAndForbids() {
    Map<Integer, Float> bias = Map.of(6, 10f, 1, Float.NEGATIVE_INFINITY);
    assertThat(sample(new Sampling(0, 0, 1, 0, 1, 0, 0, bias, 0), LOGITS, 0)).isEqualTo(6);
    Map<Integer, Float> forbidden = Map.of(1, Float.NEGATIVE_INFINITY, 5, Float.NEGATIVE_INFINITY);
    Sampling sampling = new Sampling(1, 0, 1, 0, 1, 0, 0, forbidden, 0);
    assertThat(drawn(sampling, LOGITS)).doesNotContain(1, 5).contains(4);
    assertThatThrownBy(() -> new Sampler(new Sampling(0, 0, 1, 0, 1, 0, 0, Map.of(8, 1f), 0), 8))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("logit bias: token id 8 is not in the vocabulary of 8");
  }

  @Test
  void aBiasComesBeforeThePenaltiesOfTheSameToken() {
    Sampling sampling = new Sampling(0, 0, 1, 0, 2, 0, 0, Map.of(0, 3f), 0);
    Sampler sampler = new Sampler(sampling, 2);
    sampler.acceptPrompt(0);
    // (1 + 3) / 2 is 2; 1 / 2 + 3 would be 3.5.
    assertThat(sample(sampler, new float[] {1, 2.5f}, 0)).isEqualTo(1);
    assertThat(sample(sampler, new float[] {1, 1.5f}, 0)).isEqualTo(0);
  }

  @Test
  void asManyBiasesAsAStepHasRoomFor() {
    Map<Integer, Float> biases = new HashMap<>();
    for (int id = 0; id < Sampler.MOST_BIASES; id++) {
      biases.put(id, -1f);
    }
    float[] logits = new float[Sampler.MOST_BIASES + 1];
    assertThat(sample(new Sampling(0, 0, 1, 0, 1, 0, 0, biases, 0), logits, 0))
        .isEqualTo(Sampler.MOST_BIASES);
    biases.put(Sampler.MOST_BIASES, -1f);
    Sampling tooMany = new Sampling(0, 0, 1, 0, 1, 0, 0, biases, 0);
    assertThatThrownBy(() -> new Sampler(tooMany, logits.length))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage("logit bias names 1025 tokens, but at most 1024 can be");
  }

  @Test
  void logitsThatAreNoNumbersAreNoToken() {
    float[] broken = {Float.NaN, Float.NaN};
    float[] forbidden = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY};
    for (float[] logits : new float[][] {broken, forbidden}) {
      for (Sampling sampling :
          new Sampling[] {
            Sampling.GREEDY,
            sampling(1, 0, 1, 0, 0),
            sampling(1, 2, 0.9f, 0.1f, 0),
            new Sampling(0, 0, 1, 0, 1.1f, 0, 0, Map.of(), 0)
          }) {
        assertThat(sample(sampling, logits, 0)).isEqualTo(-1);
      }
    }
    assertThat(sample(Sampling.GREEDY, new float[] {Float.NaN, 1}, 0)).isEqualTo(1);
    assertThat(drawn(sampling(1, 0, 1, 0, 1), new float[] {1, Float.NaN, 1})).containsExactly(0, 2);
  }

  @Test
  void aLogitOfInfinityIsCertain() {
    float[] logits = {1, Float.POSITIVE_INFINITY, 3e38f, Float.POSITIVE_INFINITY};
    assertThat(sample(Sampling.GREEDY, logits, 0)).isEqualTo(1);
    assertThat(drawn(sampling(100, 0, 1, 0, 1), logits)).containsExactly(1, 3);
  }

  @Test
  void parametersOutOfRangeAreNamed() {
    refused(() -> sampling(-1, 0, 1, 0, 0), "temperature is -1.0, but must be 0 to 100");
    refused(() -> sampling(Float.NaN, 0, 1, 0, 0), "temperature is NaN");
    refused(() -> sampling(1, -1, 1, 0, 0), "top-k is -1, but must be 0 or more");
    refused(() -> sampling(1, 0, 0, 0, 0), "top-p is 0.0, but must be above 0, at most 1");
    refused(() -> sampling(1, 0, 1.1f, 0, 0), "top-p is 1.1");
    refused(() -> sampling(1, 0, 1, 2, 0), "min-p is 2.0, but must be 0 to 1");
    refused(() -> new Sampling(1, 0, 1, 0, 0, 0, 0, Map.of(), 0), "repeat-penalty is 0.0");
    refused(() -> new Sampling(1, 0, 1, 0, 1, 101, 0, Map.of(), 0), "presence-penalty is 101.0");
    refused(() -> new Sampling(1, 0, 1, 0, 1, 0, -101, Map.of(), 0), "frequency-penalty is -101");
    refused(
        () -> new Sampling(1, 0, 1, 0, 1, 0, 0, Map.of(3, Float.NaN), 0), "logit bias of 3 is NaN");
  }

  private static void refused(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining(message);
  }
}
