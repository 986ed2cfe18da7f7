package dev.kancil.family;

/** A normalisation, or none: an absent norm is the identity, and needs no case of its own. */
public sealed interface Norm {
  /** No normalisation, and no weight. */
  Norm NONE = new Identity();

  /** Root mean square norm with a weight. */
  static Norm rms(float epsilon) {
    return new Rms(epsilon);
  }

  /** Layer norm with a weight and a bias. */
  static Norm layer(float epsilon) {
    return new Layer(epsilon, true, true);
  }

  /** Layer norm of each head, with a weight of its own and no bias. */
  static Norm layerOfHeads(float epsilon) {
    return new LayerOfHeads(epsilon);
  }

  /** The identity. */
  record Identity() implements Norm {}

  /** See {@link dev.kancil.graph.op.RmsNorm}. */
  record Rms(float epsilon) implements Norm {}

  /** As {@link Layer}, with a weight for each column instead of each of a head (StableLM 2). */
  record LayerOfHeads(float epsilon) implements Norm {}

  /**
   * See {@link dev.kancil.graph.op.LayerNorm}.
   *
   * @param hasWeight whether there is a weight
   * @param hasBias whether there is a bias; none without a weight
   */
  record Layer(float epsilon, boolean hasWeight, boolean hasBias) implements Norm {
    public Layer {
      if (hasBias && !hasWeight) {
        throw new IllegalArgumentException("a bias without a weight");
      }
    }
  }
}
