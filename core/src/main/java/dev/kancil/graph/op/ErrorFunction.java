package dev.kancil.graph.op;

/** What Java's mathematics lack for {@link Activation#GELU}. */
final class ErrorFunction {
  /** From here on the continued fraction converges soon; before, the series loses few digits. */
  private static final double FAR = 2.5;

  private static final int FAR_TERMS = 100;

  private ErrorFunction() {}

  /** {@code (1 + erf(x/√2)) / 2}: how likely a normally distributed number is at most {@code x}. */
  static double normal(double x) {
    double half = complement(Math.abs(x) / Math.sqrt(2)) / 2;
    return x < 0 ? half : 1 - half;
  }

  /** {@code 1 - erf(z)} for z from 0 on. */
  private static double complement(double z) {
    if (Double.isNaN(z) || z > 40) {
      return Double.isNaN(z) ? z : 0;
    }
    return z < FAR ? 1 - near(z) : far(z);
  }

  /** {@code erf(z) = 2/√π · e^(-z²) · Σ 2ⁿ z²ⁿ⁺¹ / (1 · 3 · … · (2n+1))}: no term is negative. */
  private static double near(double z) {
    double term = z;
    double sum = z;
    for (int n = 1; term > sum * 1e-18; n++) {
      term *= 2 * z * z / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-z * z) * sum;
  }

  /** {@code e^(-z²)/√π · 1/(z + ½/(z + 1/(z + 1½/(z + …))))}. */
  private static double far(double z) {
    double fraction = z;
    for (int n = FAR_TERMS; n > 0; n--) {
      fraction = z + n / 2.0 / fraction;
    }
    return Math.exp(-z * z) / Math.sqrt(Math.PI) / fraction;
  }
}
