package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.Warp.LANES;

import dev.kancil.cuda.emulator.RowInstructions.LongOperation;
import dev.kancil.cuda.emulator.RowInstructions.WideningOperation;
import org.jspecify.annotations.Nullable;

/** 64-bit integer arithmetic. */
final class LongOperations {
  private LongOperations() {}

  static @Nullable LongOperation named(String name, boolean signed) {
    return switch (name) {
      case "add" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] + b[i];
            }
          };
      case "sub" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] - b[i];
            }
          };
      case "mul.lo" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] * b[i];
            }
          };
      case "mad.lo" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] * b[i] + c[i];
            }
          };
      case "neg" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = -a[i];
            }
          };
      case "abs" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Math.abs(a[i]);
            }
          };
      case "mul.hi" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = signed ? Math.multiplyHigh(a[i], b[i]) : Math.unsignedMultiplyHigh(a[i], b[i]);
            }
          };
      case "mad.hi" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              long high =
                  signed ? Math.multiplyHigh(a[i], b[i]) : Math.unsignedMultiplyHigh(a[i], b[i]);
              d[i] = high + c[i];
            }
          };
      default -> signed ? signed(name) : unsigned(name);
    };
  }

  private static @Nullable LongOperation signed(String name) {
    return switch (name) {
      case "min" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Math.min(a[i], b[i]);
            }
          };
      case "max" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Math.max(a[i], b[i]);
            }
          };
      case "div" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = b[i] == 0 ? -1 : a[i] / b[i];
            }
          };
      case "rem" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = b[i] == 0 ? a[i] : a[i] % b[i];
            }
          };
      case "sad" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = c[i] + (a[i] < b[i] ? b[i] - a[i] : a[i] - b[i]);
            }
          };
      default -> null;
    };
  }

  private static @Nullable LongOperation unsigned(String name) {
    return switch (name) {
      case "min" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Long.compareUnsigned(a[i], b[i]) < 0 ? a[i] : b[i];
            }
          };
      case "max" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Long.compareUnsigned(a[i], b[i]) > 0 ? a[i] : b[i];
            }
          };
      case "div" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = b[i] == 0 ? -1 : Long.divideUnsigned(a[i], b[i]);
            }
          };
      case "rem" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = b[i] == 0 ? a[i] : Long.remainderUnsigned(a[i], b[i]);
            }
          };
      case "sad" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              boolean less = Long.compareUnsigned(a[i], b[i]) < 0;
              d[i] = c[i] + (less ? b[i] - a[i] : a[i] - b[i]);
            }
          };
      default -> null;
    };
  }

  /** Products of 32-bit numbers, and an addend. */
  static WideningOperation wide(boolean signed, boolean add) {
    if (signed && !add) {
      return (d, a, b, _) -> {
        for (int i = 0; i < LANES; i++) {
          d[i] = (long) a[i] * b[i];
        }
      };
    }
    if (!add) {
      return (d, a, b, _) -> {
        for (int i = 0; i < LANES; i++) {
          d[i] = (a[i] & 0xffff_ffffL) * (b[i] & 0xffff_ffffL);
        }
      };
    }
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        long product = signed ? (long) a[i] * b[i] : (a[i] & 0xffff_ffffL) * (b[i] & 0xffff_ffffL);
        d[i] = product + c[i];
      }
    };
  }
}
