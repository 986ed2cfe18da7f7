package dev.kancil.graph.op;

/** Element-wise functions of feed-forward layers. */
public enum Activation {
  /** {@code x / (1 + e⁻ˣ)} (Elfwing et al. 2017). */
  SILU,
  /** {@code x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))} (Hendrycks and Gimpel 2016). */
  GELU_TANH,
  /** {@code x/2 · (1 + erf(x/√2))}: what {@link #GELU_TANH} is close to (the same source). */
  GELU,
  /** {@code x / (1 + e^(-1.702 x))}: another that is close to {@link #GELU} (the same source). */
  QUICK_GELU,
  /** {@code max(x, 0)} (Nair and Hinton 2010). */
  RELU,
  /** {@code max(x, 0)²} (So et al. 2021, "Primer"). */
  RELU_SQUARED;

  /** The factor of {@link #QUICK_GELU}. */
  public static final float QUICK_FACTOR = 1.702f;

  /** The function itself, in double precision: the definition that fast versions are held to. */
  public double apply(double x) {
    return switch (this) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      case GELU -> x * ErrorFunction.normal(x);
      case QUICK_GELU -> x / (1 + Math.exp(-QUICK_FACTOR * x));
      case RELU -> Math.max(x, 0);
      case RELU_SQUARED -> Math.max(x, 0) * Math.max(x, 0);
    };
  }
}
