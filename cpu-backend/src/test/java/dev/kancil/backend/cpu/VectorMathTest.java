package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.graph.op.Activation;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VectorMathTest {
  private static float apply(UnaryOperator<FloatVector> function, float x) {
    return function.apply(FloatVector.broadcast(Lanes.FLOATS, x)).lane(0);
  }

  /** The largest error in units in the last place of the exact result. */
  private static double worst(
      UnaryOperator<FloatVector> function, DoubleUnaryOperator exact, float from, float to) {
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
    assertThat(worst(VectorMath::exp, Math::exp, -87, 88.7f)).isLessThan(1.01);
    assertThat(worst(VectorMath::exp, Math::exp, -1, 1)).isLessThan(1.01);
  }

  @Test
  void theExponentialEndsInZeroAndInfinity() {
    assertThat(apply(VectorMath::exp, Float.NEGATIVE_INFINITY)).isZero();
    assertThat(apply(VectorMath::exp, -200)).isZero();
    assertThat(apply(VectorMath::exp, 89)).isInfinite();
    assertThat(apply(VectorMath::exp, Float.POSITIVE_INFINITY)).isInfinite();
    assertThat(apply(VectorMath::exp, Float.NaN)).isNaN();
    assertThat(apply(VectorMath::exp, 0)).isEqualTo(1);
  }

  @Test
  void theHyperbolicTangentIsWithinTwoUnitsInTheLastPlace() {
    assertThat(worst(VectorMath::tanh, Math::tanh, -12, 12)).isLessThan(2);
    assertThat(worst(VectorMath::tanh, Math::tanh, -0.7f, 0.7f)).isLessThan(2);
  }

  @ParameterizedTest
  @EnumSource
  void activationsFollowTheirDefinition(Activation activation) {
    for (float x = -20; x <= 20; x += 0.0625f) {
      double expected = activation.apply(x);
      assertThat((double) apply(v -> VectorMath.activate(activation, v), x))
          .isCloseTo(
              expected, org.assertj.core.data.Offset.offset(2e-6 * Math.abs(expected) + 1e-7));
    }
  }
}
