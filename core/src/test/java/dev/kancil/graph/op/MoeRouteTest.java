package dev.kancil.graph.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Value;
import dev.kancil.graph.ValueType;
import dev.kancil.graph.op.MoeRoute.Grouping;
import dev.kancil.graph.op.MoeRoute.Ranking;
import dev.kancil.graph.op.MoeRoute.Scoring;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MoeRouteTest {
  private static final float NAN = Float.NaN;
  private static final float INFINITY = Float.POSITIVE_INFINITY;

  private record Routed(int[] ids, float[] weights) {}

  private static Routed route(MoeRoute route, float @Nullable [] bias, float... logits) {
    Routed routed = new Routed(new int[route.used()], new float[route.used()]);
    route.route(logits, bias, routed.ids(), routed.weights());
    return routed;
  }

  @Test
  void aSoftmaxOverTheChosenIsOneOverAllRenormalised() {
    Routed routed = route(new MoeRoute(2, Scoring.SOFTMAX, true, 1), null, 1, 3, 0, 2);
    assertThat(routed.ids()).containsExactly(1, 3);
    double first = 1 / (1 + Math.exp(-1));
    assertThat(routed.weights())
        .containsExactly(new float[] {(float) first, (float) (1 - first)}, offset(1e-6f));
  }

  @Test
  void weightsThatAreNotRenormalisedAreSharesOfAll() {
    Routed routed = route(new MoeRoute(1, Scoring.SOFTMAX, false, 3), null, 5, 5, 5);
    assertThat(routed.ids()).containsExactly(0);
    assertThat(routed.weights()).containsExactly(new float[] {1}, offset(1e-6f));
  }

  @Test
  void aBiasChoosesAndDoesNotWeigh() {
    MoeRoute route = new MoeRoute(2, Scoring.SIGMOID, false, 2.5f);
    Routed routed = route(route, new float[] {0, 0.9f, 0, 0}, 0, -1, 1, 0.5f);
    assertThat(routed.ids()).containsExactly(1, 2);
    assertThat(routed.weights())
        .containsExactly(
            new float[] {(float) (2.5 / (1 + Math.exp(1))), (float) (2.5 / (1 + Math.exp(-1)))},
            offset(1e-6f));
  }

  @Test
  void onlyExpertsOfTheBestGroupsAreChosen() {
    MoeRoute route = new MoeRoute(2, Scoring.SOFTMAX, false, 1, new Grouping(3, 1, Ranking.BEST));
    // The best expert is the third group's, and so the second that is chosen.
    Routed routed = route(route, null, 8, 8, 7, 7, 9, 0);
    assertThat(routed.ids()).containsExactly(4, 5);
    double total = 2 * Math.exp(8) + 2 * Math.exp(7) + Math.exp(9) + 1;
    assertThat(routed.weights())
        .containsExactly(
            new float[] {(float) (Math.exp(9) / total), (float) (1 / total)}, offset(1e-6f));
    assertThat(route(route, null, 3, 1, 3, 2, 3, 3).ids()).containsExactly(0, 1);
  }

  @Test
  void groupsMayBeComparedByTheirTwoBestExpertsWithTheBias() {
    Grouping grouping = new Grouping(2, 1, Ranking.SUM_OF_TWO);
    MoeRoute route = new MoeRoute(1, Scoring.SIGMOID, true, 2.5f, grouping);
    float[] logits = {3, -9, -9, 1, 1, -9};
    assertThat(route(route, null, logits).ids()).containsExactly(3);
    Routed biased = route(route, new float[] {0, 0, 0.6f, 0, 0, 0}, logits);
    assertThat(biased.ids()).containsExactly(0);
    // The bias chooses and does not weigh.
    assertThat(biased.weights()).containsExactly(new float[] {2.5f}, offset(1e-6f));
  }

  @Test
  void ofEqualGroupsTheLowerComesFirstWhateverTheLogits() {
    for (Ranking ranking : Ranking.values()) {
      for (Scoring scoring : Scoring.values()) {
        Grouping grouping = new Grouping(3, 2, ranking);
        MoeRoute route = new MoeRoute(4, scoring, true, 1, grouping);
        assertThat(route(route, null, NAN, NAN, NAN, NAN, NAN, NAN).ids())
            .containsExactly(0, 1, 2, 3);
        assertThat(route(route, null, 1, 0, NAN, -INFINITY, 1, 0).ids())
            .containsExactly(0, 4, 1, 5);
      }
    }
  }

  @Test
  void groupsAreOfOneSizeAndHoldWhatIsUsed() {
    assertThatThrownBy(() -> new Grouping(4, 5, Ranking.BEST))
        .hasMessage("5 of 4 groups of experts");
    Value logits = new Value(0, "logits", ValueType.f32(Symbolic.TOKENS, 8));
    refuses(new Grouping(3, 1, Ranking.BEST), logits, "3 groups of 8 experts");
    refuses(new Grouping(4, 1, Ranking.BEST), logits, "3 of 2 experts of a row's groups");
    refuses(new Grouping(8, 4, Ranking.SUM_OF_TWO), logits, "two experts of groups of 1");
  }

  private static void refuses(Grouping grouping, Value logits, String message) {
    MoeRoute route = new MoeRoute(3, Scoring.SIGMOID, true, 1, grouping);
    assertThatThrownBy(() -> route.infer(List.of(logits))).hasMessage("MoeRoute: " + message);
  }

  @Test
  void ofEqualsTheLowerIdComesFirst() {
    for (Scoring scoring : Scoring.values()) {
      MoeRoute route = new MoeRoute(3, scoring, true, 1);
      assertThat(route(route, null, 1, 2, 1, 2, 2).ids()).containsExactly(1, 3, 4);
      assertThat(route(route, null, -0f, 0, 0, 0).ids()).containsExactly(0, 1, 2);
      // Scores that underflow or saturate are told apart by their logits.
      assertThat(route(route, null, -800, 900, -700, 800).ids()).containsExactly(1, 3, 2);
    }
    MoeRoute route = new MoeRoute(2, Scoring.SIGMOID, true, 1);
    assertThat(route(route, new float[3], 100, 90, 95).ids()).containsExactly(0, 1);
  }

  @Test
  void scoresThatAreAllZeroGiveNoWeight() {
    Routed routed = route(new MoeRoute(2, Scoring.SIGMOID, true, 1), null, -2000, -1000, -3000);
    assertThat(routed.ids()).containsExactly(1, 0);
    assertThat(routed.weights()).containsExactly(0, 0);
  }

  @Test
  void idsAreDifferentExpertsWhateverTheLogits() {
    float[][] hostile = {
      {NAN, NAN, NAN, NAN},
      {NAN, 1, NAN, NAN},
      {-INFINITY, -INFINITY, NAN, -INFINITY},
      {INFINITY, INFINITY, NAN, -INFINITY},
      {1e38f, -1e38f, 0, INFINITY}
    };
    for (Scoring scoring : Scoring.values()) {
      for (float[] logits : hostile) {
        for (float[] bias : new float[][] {null, {0, 0, 0, 0}, {NAN, INFINITY, NAN, 1}}) {
          MoeRoute route = new MoeRoute(4, scoring, true, 1);
          int[] ids = route(route, bias, logits).ids();
          assertThat(Arrays.stream(ids).sorted()).containsExactly(0, 1, 2, 3);
        }
      }
      assertThat(route(new MoeRoute(2, scoring, true, 1), null, NAN, 1, NAN, -5).ids())
          .containsExactly(1, 3);
    }
  }
}
