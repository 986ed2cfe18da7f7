package dev.kancil.graph.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RelativeBiasTest {
  private static final Score.RelativeBias BOTH_WAYS = new Score.RelativeBias(32, 128, true);
  private static final Score.RelativeBias ONE_WAY = new Score.RelativeBias(32, 128, false);

  @Test
  void nearDistancesHaveBucketsOfTheirOwn() {
    for (int distance = 0; distance < 8; distance++) {
      assertThat(BOTH_WAYS.bucket(-distance)).isEqualTo(distance);
      assertThat(BOTH_WAYS.bucket(distance)).isEqualTo(distance == 0 ? 0 : 16 + distance);
    }
    for (int distance = 0; distance < 16; distance++) {
      assertThat(ONE_WAY.bucket(-distance)).isEqualTo(distance);
      assertThat(ONE_WAY.bucket(distance)).isZero();
    }
  }

  @Test
  void farDistancesShareBucketsByTheirLogarithm() {
    // Powers of two of 8 and 128 = 8 · 2⁴ on 8 buckets: two for each doubling.
    assertThat(BOTH_WAYS.bucket(-8)).isEqualTo(8);
    assertThat(BOTH_WAYS.bucket(-11)).isEqualTo(8);
    assertThat(BOTH_WAYS.bucket(-12)).isEqualTo(9);
    assertThat(BOTH_WAYS.bucket(-16)).isEqualTo(10);
    assertThat(BOTH_WAYS.bucket(-32)).isEqualTo(12);
    assertThat(BOTH_WAYS.bucket(-90)).isEqualTo(14);
    assertThat(BOTH_WAYS.bucket(-91)).isEqualTo(15);
    assertThat(BOTH_WAYS.bucket(128)).isEqualTo(31);
    assertThat(ONE_WAY.bucket(-113)).isEqualTo(31);
    assertThat(ONE_WAY.bucket(-112)).isEqualTo(30);
  }

  @Test
  void theLastBucketHasAllThatIsFarther() {
    for (int distance : new int[] {128, 129, 1000, 1 << 30}) {
      assertThat(BOTH_WAYS.bucket(-distance)).isEqualTo(15);
      assertThat(BOTH_WAYS.bucket(distance)).isEqualTo(31);
      assertThat(ONE_WAY.bucket(-distance)).isEqualTo(31);
    }
  }

  @Test
  void bucketsNeverFallWithTheDistance() {
    for (int distance = 1; distance < 200; distance++) {
      assertThat(BOTH_WAYS.bucket(-distance))
          .isGreaterThanOrEqualTo(BOTH_WAYS.bucket(1 - distance));
      assertThat(BOTH_WAYS.bucket(distance)).isEqualTo(16 + BOTH_WAYS.bucket(-distance));
    }
  }

  @Test
  void biasesByOffsetAreThoseOfTheBuckets() {
    int heads = 3;
    float[] biases = new float[32 * heads];
    for (int i = 0; i < biases.length; i++) {
      biases[i] = i;
    }
    for (Score.RelativeBias bias : new Score.RelativeBias[] {BOTH_WAYS, ONE_WAY}) {
      float[] byOffset = bias.byOffset(biases, heads);
      for (int offset = -300; offset <= 300; offset++) {
        for (int head = 0; head < heads; head++) {
          int at = Math.clamp(offset, -128, 128) + 128;
          assertThat(byOffset[head * bias.offsets() + at])
              .isEqualTo(bias.evaluate(5, 400, 400 + offset, head, biases, heads));
        }
      }
    }
  }

  @Test
  void bucketsMustFitTheirDistances() {
    assertThatThrownBy(() -> new Score.RelativeBias(30, 128, true))
        .hasMessage("30 buckets of distances");
    assertThatThrownBy(() -> new Score.RelativeBias(0, 128, false))
        .hasMessage("0 buckets of distances");
    assertThatThrownBy(() -> new Score.RelativeBias(32, 8, true))
        .hasMessage("32 buckets of distances up to 8");
    assertThatThrownBy(() -> new Score.RelativeBias(32, 1 << 20, true))
        .hasMessageContaining("up to 1048576");
  }
}
