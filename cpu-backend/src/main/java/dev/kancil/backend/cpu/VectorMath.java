package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;

import dev.kancil.graph.op.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions that the Vector API leaves to libraries which not every platform has.
 *
 * <p>{@code e^x = 2^n · e^r} with {@code n = round(x / ln 2)}, so that |r| ≤ ln 2 / 2, and a
 * polynomial for e^r (Cephes, S. Moshier, for the splitting of ln 2 and the coefficients); within 1
 * unit in the last place of what remains normal, and 0 or infinity beyond.
 */
final class VectorMath {
  private static final float LOG2_E = 1.442695f;
  // ln 2 in two parts, of which the first times any n is exact.
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.1219444e-4f;
  // Adding and taking off 1.5 · 2^23 rounds to the nearest integer.
  private static final float ROUND = 0x1.8p23f;
  private static final float LARGEST = 88.8f;
  private static final float SMALLEST = -104f;

  private VectorMath() {}

  static FloatVector exp(FloatVector x) {
    FloatVector bounded = x.min(LARGEST).max(SMALLEST);
    FloatVector n = bounded.mul(LOG2_E).add(ROUND).sub(ROUND);
    FloatVector r = n.fma(broadcast(-LN2_HIGH), bounded);
    r = n.fma(broadcast(-LN2_LOW), r);
    FloatVector p = broadcast(1.9875691e-4f);
    p = p.fma(r, broadcast(1.3981999e-3f));
    p = p.fma(r, broadcast(8.333452e-3f));
    p = p.fma(r, broadcast(4.1665796e-2f));
    p = p.fma(r, broadcast(0.16666666f));
    p = p.fma(r, broadcast(0.5f));
    p = p.fma(r.mul(r), r).add(1);
    // 2^n in two factors, since n runs from -150 to 128 and each factor's exponent must be normal.
    IntVector whole = (IntVector) n.convert(VectorOperators.F2I, 0);
    IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
    return p.mul(powerOfTwo(half)).mul(powerOfTwo(whole.sub(half)));
  }

  private static FloatVector powerOfTwo(IntVector exponent) {
    return exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }

  /** {@code x / (1 + e^-z)}. */
  private static FloatVector timesSigmoid(FloatVector x, FloatVector z) {
    return x.div(exp(z.neg()).add(1));
  }

  static FloatVector silu(FloatVector x) {
    return timesSigmoid(x, x);
  }

  /** Since {@code (1 + tanh u) / 2 = 1 / (1 + e^-2u)}. */
  static FloatVector geluTanh(FloatVector x) {
    FloatVector cubic = x.mul(x).fma(broadcast(0.044715f), broadcast(1)).mul(x);
    return timesSigmoid(x, cubic.mul(1.5957692f));
  }

  static FloatVector activate(Activation activation, FloatVector x) {
    return switch (activation) {
      case SILU -> silu(x);
      case GELU_TANH -> geluTanh(x);
    };
  }

  /**
   * {@code 1 - 2 / (e^2|x| + 1)} with the sign of x; an odd polynomial below 0.625, where that
   * difference would lose digits (Cephes).
   */
  static FloatVector tanh(FloatVector x) {
    FloatVector magnitude = x.abs();
    FloatVector far = broadcast(1).sub(broadcast(2).div(exp(magnitude.add(magnitude)).add(1)));
    FloatVector square = x.mul(x);
    FloatVector p = broadcast(-5.7049887e-3f);
    p = p.fma(square, broadcast(2.0639088e-2f));
    p = p.fma(square, broadcast(-5.3739715e-2f));
    p = p.fma(square, broadcast(0.13331442f));
    p = p.fma(square, broadcast(-0.3333328f));
    FloatVector near = p.mul(square).fma(x, x);
    VectorMask<Float> negative = x.compare(VectorOperators.LT, 0);
    FloatVector signed = far.blend(far.neg(), negative);
    return signed.blend(near, magnitude.compare(VectorOperators.LT, 0.625f));
  }
}
