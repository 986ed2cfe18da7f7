package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.Warp.LANES;

import dev.kancil.cuda.emulator.RowInstructions.IntOperation;
import java.util.function.IntBinaryOperator;
import org.jspecify.annotations.Nullable;

/** 16-bit integer arithmetic, in the low halves of ints. */
final class ShortOperations {
  private ShortOperations() {}

  static @Nullable IntOperation named(String name, boolean signed) {
    return switch (name) {
      case "add" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] + b[i] & 0xffff;
            }
          };
      case "sub" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] - b[i] & 0xffff;
            }
          };
      case "mul.lo" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] * b[i] & 0xffff;
            }
          };
      case "mad.lo" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] * b[i] + c[i] & 0xffff;
            }
          };
      case "mad.hi" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (extend(a[i], signed) * extend(b[i], signed) >> 16) + c[i] & 0xffff;
            }
          };
      case "neg" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = -a[i] & 0xffff;
            }
          };
      case "abs" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Math.abs((short) a[i]) & 0xffff;
            }
          };
      case "mul.hi" -> binary((x, y) -> x * y >> 16, signed);
      case "min" -> binary(Math::min, signed);
      case "max" -> binary(Math::max, signed);
      case "div" -> binary((x, y) -> y == 0 ? -1 : x / y, signed);
      case "rem" -> binary((x, y) -> y == 0 ? x : x % y, signed);
      case "sad" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = c[i] + Math.abs(extend(a[i], signed) - extend(b[i], signed)) & 0xffff;
            }
          };
      default -> null;
    };
  }

  /** Products of 32 bits, and an addend. */
  static IntOperation wide(boolean signed, boolean add) {
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] = extend(a[i], signed) * extend(b[i], signed) + (add ? c[i] : 0);
      }
    };
  }

  private static IntOperation binary(IntBinaryOperator operator, boolean signed) {
    return (d, a, b, _) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] = operator.applyAsInt(extend(a[i], signed), extend(b[i], signed)) & 0xffff;
      }
    };
  }

  private static int extend(int value, boolean signed) {
    return signed ? (short) value : value;
  }
}
