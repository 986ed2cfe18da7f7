package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.Warp.LANES;
import static java.lang.Float.floatToRawIntBits;
import static java.lang.Float.intBitsToFloat;

import dev.kancil.cuda.emulator.RowInstructions.IntOperation;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * 32-bit floating-point arithmetic. What the hardware approximates is computed in double precision
 * and rounded once.
 */
final class FloatOperations {
  private static final double LN_2 = Math.log(2);

  private FloatOperations() {}

  static @Nullable IntOperation named(String name, boolean keepsNan) {
    return switch (name) {
      case "add" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = floatToRawIntBits(intBitsToFloat(a[i]) + intBitsToFloat(b[i]));
            }
          };
      case "sub" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = floatToRawIntBits(intBitsToFloat(a[i]) - intBitsToFloat(b[i]));
            }
          };
      case "mul" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = floatToRawIntBits(intBitsToFloat(a[i]) * intBitsToFloat(b[i]));
            }
          };
      case "fma", "mad" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] =
                  floatToRawIntBits(
                      Math.fma(intBitsToFloat(a[i]), intBitsToFloat(b[i]), intBitsToFloat(c[i])));
            }
          };
      case "div" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = floatToRawIntBits(intBitsToFloat(a[i]) / intBitsToFloat(b[i]));
            }
          };
      case "rcp" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = floatToRawIntBits(1 / intBitsToFloat(a[i]));
            }
          };
      case "sqrt" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = floatToRawIntBits((float) Math.sqrt(intBitsToFloat(a[i])));
            }
          };
      case "min", "max" -> {
        boolean isMinimum = name.equals("min");
        yield (d, a, b, _) -> {
          for (int i = 0; i < LANES; i++) {
            float x = intBitsToFloat(a[i]);
            float y = intBitsToFloat(b[i]);
            d[i] = floatToRawIntBits((float) extreme(x, y, isMinimum, keepsNan));
          }
        };
      }
      case "abs" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] & 0x7fff_ffff;
            }
          };
      case "neg" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] ^ 0x8000_0000;
            }
          };
      // The sign of a on the value of b.
      case "copysign" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] & 0x8000_0000 | b[i] & 0x7fff_ffff;
            }
          };
      case "rsqrt" -> function(x -> 1 / Math.sqrt(x));
      case "ex2" -> function(FloatOperations::powerOfTwo);
      case "lg2" -> function(x -> Math.log(x) / LN_2);
      case "sin" -> function(Math::sin);
      case "cos" -> function(Math::cos);
      case "tanh" -> function(Math::tanh);
      default -> null;
    };
  }

  private static IntOperation function(DoubleUnaryOperator function) {
    return (d, a, _, _) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] = floatToRawIntBits((float) function.applyAsDouble(intBitsToFloat(a[i])));
      }
    };
  }

  static double powerOfTwo(double exponent) {
    return Math.exp(exponent * LN_2);
  }

  /** The smaller or the larger; a NaN loses against a number, unless it is to be kept. */
  static double extreme(double a, double b, boolean isMinimum, boolean keepsNan) {
    if (!keepsNan) {
      if (Double.isNaN(a)) {
        return b;
      }
      if (Double.isNaN(b)) {
        return a;
      }
    }
    return isMinimum ? Math.min(a, b) : Math.max(a, b);
  }

  /** Between 0 and 1; a NaN becomes 0. */
  static double saturate(double value) {
    return value > 0 ? Math.min(value, 1) : 0;
  }

  /** Takes a subnormal number for zero. */
  static int flush(int bits) {
    return (bits & 0x7f80_0000) == 0 ? bits & 0x8000_0000 : bits;
  }

  /** An operation that takes subnormal numbers for zeros, or whose results are saturated. */
  static IntOperation modified(IntOperation operation, boolean flush, boolean saturate) {
    if (!flush && !saturate) {
      return operation;
    }
    return (d, a, b, c) -> {
      int[] x = a.clone();
      int[] y = b.clone();
      int[] z = c.clone();
      for (int i = 0; flush && i < LANES; i++) {
        x[i] = flush(x[i]);
        y[i] = flush(y[i]);
        z[i] = flush(z[i]);
      }
      operation.apply(d, x, y, z);
      for (int i = 0; i < LANES; i++) {
        int bits = flush ? flush(d[i]) : d[i];
        d[i] = saturate ? floatToRawIntBits((float) saturate(intBitsToFloat(bits))) : bits;
      }
    };
  }

  /** Operations that round towards zero or to one side. */
  static @Nullable IntOperation rounded(String name, Rounding rounding) {
    return switch (name) {
      case "add" -> sums(rounding, 1);
      case "sub" -> sums(rounding, -1);
      case "mul" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              double product = (double) intBitsToFloat(a[i]) * intBitsToFloat(b[i]);
              d[i] = floatToRawIntBits(rounding.toFloat(product, 0));
            }
          };
      case "fma", "mad" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              double product = (double) intBitsToFloat(a[i]) * intBitsToFloat(b[i]);
              d[i] = floatToRawIntBits(rounding.sum(product, intBitsToFloat(c[i])));
            }
          };
      case "div" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] =
                  floatToRawIntBits(quotient(intBitsToFloat(a[i]), intBitsToFloat(b[i]), rounding));
            }
          };
      case "rcp" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = floatToRawIntBits(quotient(1, intBitsToFloat(a[i]), rounding));
            }
          };
      case "sqrt" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              double value = intBitsToFloat(a[i]);
              double root = Math.sqrt(value);
              d[i] = floatToRawIntBits(rounding.toFloat(root, Math.fma(-root, root, value)));
            }
          };
      default -> null;
    };
  }

  private static IntOperation sums(Rounding rounding, int sign) {
    return (d, a, b, _) -> {
      for (int i = 0; i < LANES; i++) {
        double addend = sign * intBitsToFloat(b[i]);
        d[i] = floatToRawIntBits(rounding.sum(intBitsToFloat(a[i]), addend));
      }
    };
  }

  private static float quotient(double a, double b, Rounding rounding) {
    double quotient = a / b;
    double rest = Math.fma(-quotient, b, a);
    return rounding.toFloat(quotient, b < 0 ? -rest : rest);
  }
}
