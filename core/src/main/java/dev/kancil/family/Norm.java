package dev.kancil.family;

/** A normalisation, or none: an absent norm is the identity, and needs no case of its own. */
public sealed interface Norm {
  /** No normalisation, and no weight. */
  Norm NONE = new Identity();

  /** Root mean square norm with a weight. */
  static Norm rms(float epsilon) {
    return new Rms(epsilon);
  }

  /** The identity. */
  record Identity() implements Norm {}

  /** See {@link dev.kancil.graph.op.RmsNorm}. */
  record Rms(float epsilon) implements Norm {}
}
