package dev.kancil.graph.op;

import org.jspecify.annotations.Nullable;

/**
 * How positions turn pairs of columns (Su et al. 2021, "RoFormer"): pair i of a head is turned by
 * {@code position · positionScale · base^(-2i / rotaryWidth) / factors[i]}.
 *
 * @param pairing which columns make a pair
 * @param headWidth columns of one head
 * @param rotaryWidth leading columns of a head that are turned; even, at most the head's width
 * @param base the wavelengths' base
 * @param positionScale 1, or less where the context was stretched linearly (Chen et al. 2023)
 * @param magnitude what cosines and sines, and so the columns that are turned, are multiplied by:
 *     1, or the attention factor of a context that was stretched otherwise (Peng et al. 2023,
 *     "YaRN"; Ding et al. 2024, "LongRoPE")
 */
public record RotaryEmbedding(
    Pairing pairing,
    int headWidth,
    int rotaryWidth,
    double base,
    double positionScale,
    double magnitude) {
  /** Which columns of a head are turned together. */
  public enum Pairing {
    /** Columns 2i and 2i + 1, as in the paper and in GGUF files of the Llama family. */
    NEIGHBOURS,
    /** Columns i and i + rotaryWidth / 2, as in GPT-NeoX and Hugging Face checkpoints. */
    HALVES
  }

  public RotaryEmbedding {
    if (headWidth < 1 || rotaryWidth < 2 || rotaryWidth % 2 != 0 || rotaryWidth > headWidth) {
      throw new IllegalArgumentException(
          "rotary width " + rotaryWidth + " of a head of width " + headWidth);
    }
    if (!(base > 0) || !(positionScale > 0)) {
      throw new IllegalArgumentException("base " + base + ", position scale " + positionScale);
    }
    if (!(magnitude > 0 && magnitude <= Float.MAX_VALUE)) {
      throw new IllegalArgumentException("a magnitude of " + magnitude);
    }
  }

  /** With a magnitude of 1. */
  public RotaryEmbedding(
      Pairing pairing, int headWidth, int rotaryWidth, double base, double positionScale) {
    this(pairing, headWidth, rotaryWidth, base, positionScale, 1);
  }

  /**
   * The angle by which one position turns each pair, in radians.
   *
   * @param factors one divisor for each pair, or null for none
   */
  public double[] anglePerPosition(float @Nullable [] factors) {
    double[] angles = new double[rotaryWidth / 2];
    for (int i = 0; i < angles.length; i++) {
      angles[i] = positionScale * Math.pow(base, -2.0 * i / rotaryWidth);
      if (factors != null) {
        angles[i] /= factors[i];
      }
    }
    return angles;
  }
}
