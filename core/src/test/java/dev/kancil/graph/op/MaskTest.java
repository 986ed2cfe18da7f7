package dev.kancil.graph.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MaskTest {
  private static Mask random(SplittableRandom random, int depth) {
    int kind = depth == 0 ? 0 : random.nextInt(3);
    if (kind == 0) {
      return new Mask.Linear(
          random.nextInt(-2, 3), random.nextBoolean() ? 1 : -1, random.nextInt(-12, 13));
    }
    List<Mask> parts = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      parts.add(random(random, depth - 1));
    }
    return kind == 1 ? new Mask.All(parts) : new Mask.Any(parts);
  }

  @Test
  void aCausalMaskSeesItselfAndAllBefore() {
    for (int query = 0; query < 20; query++) {
      for (int key = 0; key < 20; key++) {
        assertThat(Mask.CAUSAL.sees(query, key)).isEqualTo(key <= query);
        assertThat(Mask.EVERYTHING.sees(query, key)).isTrue();
      }
    }
  }

  @Test
  void aWindowSeesItselfAndWhatIsLeftOfItBefore() {
    for (int query = 0; query < 20; query++) {
      for (int key = 0; key < 20; key++) {
        assertThat(Mask.window(8).sees(query, key)).isEqualTo(key <= query && key > query - 8);
        assertThat(Mask.window(1).sees(query, key)).isEqualTo(key == query);
      }
    }
    assertThatThrownBy(() -> Mask.window(0)).hasMessage("a window of 0");
    assertThatThrownBy(() -> new Mask.Linear(1, 2, 0)).hasMessage("a key factor of 2");
  }

  @Test
  void noKeyOutsideOfTheBoundsIsSeenByAnyQueryOfTheRange() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 3000; i++) {
      Mask mask = random(random, 2);
      int from = random.nextInt(30);
      int to = from + random.nextInt(10);
      long first = mask.firstKey(from, to);
      long last = mask.lastKey(from, to);
      for (int query = from; query <= to; query++) {
        for (int key = 0; key < 60; key++) {
          if (mask.sees(query, key)) {
            assertThat((long) key).as("%s, %s to %s", mask, from, to).isBetween(first, last);
          }
        }
      }
    }
  }

  @Test
  void anIntervalSeesExactlyWhatIsWithinItsBounds() {
    SplittableRandom random = new SplittableRandom(2);
    int intervals = 0;
    for (int i = 0; i < 3000; i++) {
      Mask mask = random(random, 2);
      if (mask.isInterval()) {
        intervals++;
        int query = random.nextInt(40);
        for (int key = 0; key < 60; key++) {
          assertThat(mask.sees(query, key))
              .as("%s, query %s, key %s", mask, query, key)
              .isEqualTo(key >= mask.firstKey(query, query) && key <= mask.lastKey(query, query));
        }
      }
    }
    assertThat(intervals).isGreaterThan(100);
    assertThat(Mask.window(5).isInterval()).isTrue();
  }

  @Test
  void scoresAreWhatTheirExpressionSays() {
    Score alibi =
        new Score.Plus(
            Score.PLAIN, new Score.Multiply(new Score.Offset(), new Score.Exp2(new Score.Head())));
    assertThat(evaluate(alibi, 0.5f, 10, 7, 2)).isEqualTo(0.5f - 3 * 4);
    assertThat(evaluate(Score.softCap(2), 1e6f, 0, 0, 0)).isEqualTo(2);
    assertThat(evaluate(Score.softCap(2), 1, 0, 0, 0)).isEqualTo((float) (2 * Math.tanh(0.5)));
  }

  private static float evaluate(Score score, float raw, int query, int key, int head) {
    return score.evaluate(raw, query, key, head, new float[0], 0);
  }
}
