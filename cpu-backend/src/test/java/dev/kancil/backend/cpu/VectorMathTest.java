package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.graph.op.Activation;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VectorMathTest {
  /** A function over the first elements of an array, in place. */
  @FunctionalInterface
  private interface InPlace {
    void apply(float[] x, float[] room);
  }

  private static final InPlace EXP = (x, _) -> VectorMath.exp(x, 0, Lanes.LENGTH, 0);
  private static final InPlace TANH = (x, room) -> VectorMath.tanh(x, 0, room, 0, Lanes.LENGTH);

  private static float apply(InPlace function, float x) {
    float[] values = new float[Lanes.LENGTH];
    Arrays.fill(values, x);
    function.apply(values, new float[Lanes.LENGTH]);
    return values[Lanes.LENGTH - 1];
  }

  /** The largest error in units in the last place of the exact result. */
  private static double worst(InPlace function, DoubleUnaryOperator exact, float from, float to) {
    double worst = 0;
    int steps = 20_000;
    for (int i = 0; i <= steps; i++) {
      float x = from + (to - from) * i / steps;
      double expected = exact.applyAsDouble(x);
      double error = Math.abs(apply(function, x) - expected) / Math.ulp((float) expected);
      worst = Math.max(worst, error);
    }
    return worst;
  }

  @Test
  void theExponentialIsWithinOneUnitInTheLastPlace() {
    assertThat(worst(EXP, Math::exp, -87, 88.7f)).isLessThan(1.01);
    assertThat(worst(EXP, Math::exp, -1, 1)).isLessThan(1.01);
  }

  @Test
  void theExponentialEndsInZeroAndInfinity() {
    assertThat(apply(EXP, Float.NEGATIVE_INFINITY)).isZero();
    assertThat(apply(EXP, -200)).isZero();
    assertThat(apply(EXP, 89)).isInfinite();
    assertThat(apply(EXP, Float.POSITIVE_INFINITY)).isInfinite();
    assertThat(apply(EXP, Float.NaN)).isNaN();
    assertThat(apply(EXP, 0)).isEqualTo(1);
  }

  @Test
  void theHyperbolicTangentIsWithinTwoUnitsInTheLastPlace() {
    assertThat(worst(TANH, Math::tanh, -12, 12)).isLessThan(2);
    assertThat(worst(TANH, Math::tanh, -0.7f, 0.7f)).isLessThan(2);
  }

  @ParameterizedTest
  @EnumSource
  void activationsFollowTheirDefinition(Activation activation) {
    for (float x = -20; x <= 20; x += 0.0625f) {
      double expected = activation.apply(x);
      assertThat((double) apply((v, room) -> glu(activation, v, room), x))
          .isCloseTo(
              expected, org.assertj.core.data.Offset.offset(2e-6 * Math.abs(expected) + 1e-7));
    }
  }

  private static void glu(Activation activation, float[] gate, float[] room) {
    float[] up = new float[gate.length];
    Arrays.fill(up, 1);
    VectorMath.glu(activation, gate, up, room, gate.length);
  }
}
