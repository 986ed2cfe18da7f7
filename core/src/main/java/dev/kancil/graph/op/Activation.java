package dev.kancil.graph.op;

/** Element-wise functions of feed-forward layers. */
public enum Activation {
  /** {@code x / (1 + e⁻ˣ)} (Elfwing et al. 2017). */
  SILU,
  /** {@code x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))} (Hendrycks and Gimpel 2016). */
  GELU_TANH;

  /** The function itself, in double precision: the definition that fast versions are held to. */
  public double apply(double x) {
    return switch (this) {
      case SILU -> x / (1 + Math.exp(-x));
      case GELU_TANH ->
          0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    };
  }
}
