package dev.kancil.backend.cpu;

import static dev.kancil.backend.cpu.Lanes.FLOATS;
import static dev.kancil.backend.cpu.Lanes.LENGTH;

import dev.kancil.graph.op.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * Functions that the Vector API leaves to libraries which not every platform has, over runs of
 * arrays whose lengths are multiples of the vector length.
 *
 * <p>Each is a loop of its own over arrays, not a function from vector to vector: C2 would compile
 * such a function by itself, then refuse to inline it for its size, and every vector that goes in
 * or out would be allocated.
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
  private static final float SQRT_8_OVER_PI = 1.5957692f;

  private VectorMath() {}

  private static FloatVector all(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }

  /**
   * {@code x = e^(x - minus)} in place: {@code 2^n · e^r} with {@code n = round(x / ln 2)}, so that
   * |r| ≤ ln 2 / 2, and a polynomial for e^r (Cephes, S. Moshier, for the splitting of ln 2 and the
   * coefficients); within 1 unit in the last place where the result is normal; 0 from -104 down.
   */
  static void exp(float[] x, int from, int count, float minus) {
    for (int i = from; i < from + count; i += LENGTH) {
      FloatVector bounded =
          FloatVector.fromArray(FLOATS, x, i).sub(minus).min(LARGEST).max(SMALLEST);
      FloatVector n = bounded.mul(LOG2_E).add(ROUND).sub(ROUND);
      FloatVector r = n.fma(all(-LN2_HIGH), bounded);
      r = n.fma(all(-LN2_LOW), r);
      FloatVector p = all(1.9875691e-4f);
      p = p.fma(r, all(1.3981999e-3f));
      p = p.fma(r, all(8.333452e-3f));
      p = p.fma(r, all(4.1665796e-2f));
      p = p.fma(r, all(0.16666666f));
      p = p.fma(r, all(0.5f));
      p = p.fma(r.mul(r), r).add(1);
      // 2^n in two factors: n runs from -150 to 128, and each factor's exponent must be normal.
      IntVector whole = (IntVector) n.convert(VectorOperators.F2I, 0);
      IntVector half = whole.lanewise(VectorOperators.ASHR, 1);
      IntVector low = half.add(127).lanewise(VectorOperators.LSHL, 23);
      IntVector high = whole.sub(half).add(127).lanewise(VectorOperators.LSHL, 23);
      p.mul(low.reinterpretAsFloats()).mul(high.reinterpretAsFloats()).intoArray(x, i);
    }
  }

  /**
   * {@code gate = activation(gate) · up} in place.
   *
   * @param room as many floats, which are overwritten
   */
  static void glu(Activation activation, float[] gate, float[] up, float[] room, int count) {
    activate(activation, gate, room, count);
    multiply(gate, up, count);
  }

  /**
   * {@code x = activation(x)} in place. Three of them are {@code x / (1 + e^-z)}, with {@code z =
   * x} for SiLU and, since {@code (1 + tanh u) / 2 = 1 / (1 + e^-2u)}, {@code z = 2u} for GELU by
   * tanh.
   *
   * @param room as many floats, which are overwritten
   */
  static void activate(Activation activation, float[] x, float[] room, int count) {
    switch (activation) {
      case SILU -> scale(x, room, count, -1);
      case GELU_TANH -> cubic(x, room, count);
      case QUICK_GELU -> scale(x, room, count, -Activation.QUICK_FACTOR);
      case GELU -> {
        square(x, room, count);
        exp(room, 0, count, 0);
        normal(x, room, count);
        return;
      }
      case RELU -> {
        relu(x, count);
        return;
      }
      case RELU_SQUARED -> {
        relu(x, count);
        multiply(x, x, count);
        return;
      }
    }
    exp(room, 0, count, 0);
    divide(x, room, count);
  }

  private static void scale(float[] x, float[] y, int count, float factor) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i).mul(factor).intoArray(y, i);
    }
  }

  private static void cubic(float[] x, float[] y, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector v = FloatVector.fromArray(FLOATS, x, i);
      v.mul(v).fma(all(0.044715f), all(1)).mul(v).mul(-SQRT_8_OVER_PI).intoArray(y, i);
    }
  }

  private static void square(float[] x, float[] y, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector v = FloatVector.fromArray(FLOATS, x, i);
      v.mul(v).mul(-0.5f).intoArray(y, i);
    }
  }

  /**
   * x times how likely a normally distributed number is at most x: below -|x| that is {@code
   * e^(-x²/2) · t · p(t)} with {@code t = 1 / (1 + |x|/4)} and a polynomial p that was fitted at
   * Chebyshev's points, to 1.3 · 10⁻⁸ of it up to |x| = 14, where it is nothing.
   *
   * @param exponential {@code e^(-x²/2)}
   */
  private static void normal(float[] x, float[] exponential, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector v = FloatVector.fromArray(FLOATS, x, i);
      FloatVector t = all(1).div(v.abs().fma(all(0.25f), all(1)));
      FloatVector p = all(0.015741844f);
      p = p.fma(t, all(-0.05837098f));
      p = p.fma(t, all(0.041589286f));
      p = p.fma(t, all(0.04136781f));
      p = p.fma(t, all(0.0024003587f));
      p = p.fma(t, all(0.091932096f));
      p = p.fma(t, all(0.070272885f));
      p = p.fma(t, all(0.09586339f));
      p = p.fma(t, all(0.09945357f));
      p = p.fma(t, all(0.09974976f));
      FloatVector tail = p.mul(t).mul(FloatVector.fromArray(FLOATS, exponential, i)).mul(v);
      VectorMask<Float> negative = v.compare(VectorOperators.LT, 0);
      v.sub(tail).blend(tail, negative).intoArray(x, i);
    }
  }

  private static void relu(float[] x, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i).max(0).intoArray(x, i);
    }
  }

  private static void divide(float[] x, float[] exponential, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i)
          .div(FloatVector.fromArray(FLOATS, exponential, i).add(1))
          .intoArray(x, i);
    }
  }

  private static void multiply(float[] x, float[] factors, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i)
          .mul(FloatVector.fromArray(FLOATS, factors, i))
          .intoArray(x, i);
    }
  }

  /**
   * {@code x = tanh(x)} in place: {@code 1 - 2 / (e^2|x| + 1)} with the sign of x; an odd
   * polynomial below 0.625, where that difference would lose digits (Cephes).
   *
   * @param room as many floats, which are overwritten
   */
  static void tanh(float[] x, int from, float[] room, int roomFrom, int count) {
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector v = FloatVector.fromArray(FLOATS, x, from + i).abs();
      v.add(v).intoArray(room, roomFrom + i);
    }
    exp(room, roomFrom, count, 0);
    for (int i = 0; i < count; i += LENGTH) {
      FloatVector v = FloatVector.fromArray(FLOATS, x, from + i);
      FloatVector exponential = FloatVector.fromArray(FLOATS, room, roomFrom + i);
      FloatVector far = all(1).sub(all(2).div(exponential.add(1)));
      FloatVector square = v.mul(v);
      FloatVector p = all(-5.7049887e-3f);
      p = p.fma(square, all(2.0639088e-2f));
      p = p.fma(square, all(-5.3739715e-2f));
      p = p.fma(square, all(0.13331442f));
      p = p.fma(square, all(-0.3333328f));
      FloatVector near = p.mul(square).fma(v, v);
      VectorMask<Float> negative = v.compare(VectorOperators.LT, 0);
      VectorMask<Float> small = v.abs().compare(VectorOperators.LT, 0.625f);
      far.blend(far.neg(), negative).blend(near, small).intoArray(x, from + i);
    }
  }

  /** {@code x = factor · x} in place. */
  static void scale(float[] x, int from, int count, float factor) {
    for (int i = from; i < from + count; i += LENGTH) {
      FloatVector.fromArray(FLOATS, x, i).mul(factor).intoArray(x, i);
    }
  }
}
