package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.graph.op.Score;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AlibiTest {
  /**
   * The slopes as the paper's text has them: a sequence for each power of two, and what it lacks.
   */
  private static List<Double> slopes(int heads) {
    int first = Integer.highestOneBit(heads);
    List<Double> slopes = new ArrayList<>();
    for (int head = 0; head < first; head++) {
      slopes.add(Math.pow(Math.pow(2, -8.0 / first), head + 1));
    }
    if (heads > first) {
      List<Double> twice = slopes(2 * first);
      for (int i = 0; slopes.size() < heads; i += 2) {
        slopes.add(twice.get(i));
      }
    }
    return slopes;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 6, 7, 8, 12, 16, 25, 32, 71, 112, 128})
  void eachHeadHasItsSlope(int heads) {
    List<Double> slopes = slopes(heads);
    Score score = Alibi.of(heads, 0.25f);
    for (int head = 0; head < heads; head++) {
      for (int distance : new int[] {0, 1, 13, 1000}) {
        double expected = 3 - 0.25 * slopes.get(head) * distance;
        assertThat((double) score.evaluate(3, 1000, 1000 - distance, head, new float[0], heads))
            .as("head %s of %s, distance %s", head, heads, distance)
            .isCloseTo(expected, within(1e-5 * Math.max(1, Math.abs(expected))));
      }
    }
  }
}
