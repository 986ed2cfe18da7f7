package dev.kancil.graph.op;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ActivationTest {
  /** From mpmath at 40 digits: {@code x * (1 + erf(x / sqrt(2))) / 2}. */
  @ParameterizedTest
  @CsvSource({
    "-9, -1.01572956535845658e-18",
    "-4, -0.000126684967332479685",
    "-3.6, -0.000572790924567121967",
    "-3.5, -0.000814201776624337627",
    "-1, -0.158655253931457051",
    "-0.125, -0.0562827218962358884",
    "1e-3, 0.000500398942213911063",
    "0.5, 0.345731230637006552",
    "3, 2.99595030590510972",
    "3.54, 3.53929177515333409",
    "7, 6.99999999999104131"
  })
  void geluIsExact(double x, double expected) {
    assertThat(Activation.GELU.apply(x)).isCloseTo(expected, within(1e-12 * Math.abs(expected)));
  }

  @ParameterizedTest
  @EnumSource
  void allAreNearZeroOrTheirGrowthFarOut(Activation activation) {
    assertThat(activation.apply(-1e6)).isCloseTo(0, within(1e-300));
    double expected = activation == Activation.RELU_SQUARED ? 1e12 : 1e6;
    assertThat(activation.apply(1e6)).isEqualTo(expected);
    assertThat(activation.apply(0)).isZero();
    assertThat(activation.apply(Double.NaN)).isNaN();
  }

  @Test
  void quickGeluIsAScaledLogistic() {
    assertThat(Activation.QUICK_GELU.apply(1)).isCloseTo(0.845795, within(1e-6));
    assertThat(Activation.QUICK_GELU.apply(-2)).isCloseTo(-0.064341, within(1e-6));
  }
}
