package dev.kancil.backend;

/**
 * How a device rounds activations before it multiplies them with quantised weights: to multiples of
 * {@code largest magnitude / levels} in each block of columns. What a device states here is what it
 * is held to: the error of its products must be what such rounding explains.
 *
 * @param levels steps from zero to the block's largest magnitude, such as 127; 0: no rounding
 * @param block columns that share one largest magnitude
 */
public record ActivationRounding(int levels, int block) {
  /** Activations are multiplied as they are. */
  public static final ActivationRounding NONE = new ActivationRounding(0, 1);

  public ActivationRounding {
    if (levels < 0 || block < 1) {
      throw new IllegalArgumentException(levels + " levels in blocks of " + block);
    }
  }

  /**
   * The variance of the rounding error of an element in a block whose largest magnitude this is.
   */
  public double variance(float largest) {
    if (levels == 0) {
      return 0;
    }
    double step = (double) largest / levels;
    return step * step / 12;
  }
}
