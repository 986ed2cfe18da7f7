package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.Warp.LANES;
import static java.lang.Double.doubleToRawLongBits;
import static java.lang.Double.longBitsToDouble;

import dev.kancil.cuda.emulator.RowInstructions.LongOperation;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/** 64-bit floating-point arithmetic, rounded to nearest. */
final class DoubleOperations {
  private DoubleOperations() {}

  static @Nullable LongOperation named(String name, boolean keepsNan) {
    return switch (name) {
      case "add" -> binary((x, y) -> x + y);
      case "sub" -> binary((x, y) -> x - y);
      case "mul" -> binary((x, y) -> x * y);
      case "div" -> binary((x, y) -> x / y);
      case "min" -> binary((x, y) -> FloatOperations.extreme(x, y, true, keepsNan));
      case "max" -> binary((x, y) -> FloatOperations.extreme(x, y, false, keepsNan));
      case "copysign" -> binary((x, y) -> Math.copySign(y, x));
      case "fma", "mad" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] =
                  doubleToRawLongBits(
                      Math.fma(
                          longBitsToDouble(a[i]), longBitsToDouble(b[i]), longBitsToDouble(c[i])));
            }
          };
      case "abs" -> unary(Math::abs);
      case "neg" -> unary(x -> -x);
      case "rcp" -> unary(x -> 1 / x);
      case "sqrt" -> unary(Math::sqrt);
      case "rsqrt" -> unary(x -> 1 / Math.sqrt(x));
      default -> null;
    };
  }

  private static LongOperation unary(DoubleUnaryOperator operator) {
    return (d, a, _, _) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] = doubleToRawLongBits(operator.applyAsDouble(longBitsToDouble(a[i])));
      }
    };
  }

  private static LongOperation binary(DoubleBinaryOperator operator) {
    return (d, a, b, _) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] =
            doubleToRawLongBits(
                operator.applyAsDouble(longBitsToDouble(a[i]), longBitsToDouble(b[i])));
      }
    };
  }
}
