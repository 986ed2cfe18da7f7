package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.Warp.LANES;

import dev.kancil.cuda.emulator.RowInstructions.IntOperation;
import org.jspecify.annotations.Nullable;

/** 32-bit integer arithmetic. */
final class IntegerOperations {
  private IntegerOperations() {}

  static @Nullable IntOperation named(String name, boolean signed) {
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
      default -> signed ? signed(name) : unsigned(name);
    };
  }

  private static @Nullable IntOperation signed(String name) {
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
      case "mul.hi" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (int) ((long) a[i] * b[i] >> 32);
            }
          };
      case "mad.hi" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (int) ((long) a[i] * b[i] >> 32) + c[i];
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
      case "add.sat" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Math.clamp((long) a[i] + b[i], Integer.MIN_VALUE, Integer.MAX_VALUE);
            }
          };
      case "sub.sat" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Math.clamp((long) a[i] - b[i], Integer.MIN_VALUE, Integer.MAX_VALUE);
            }
          };
      case "mad.hi.sat" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              long sum = ((long) a[i] * b[i] >> 32) + c[i];
              d[i] = Math.clamp(sum, Integer.MIN_VALUE, Integer.MAX_VALUE);
            }
          };
      case "mul24.lo" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (a[i] << 8 >> 8) * (b[i] << 8 >> 8);
            }
          };
      case "mad24.lo" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (a[i] << 8 >> 8) * (b[i] << 8 >> 8) + c[i];
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

  private static @Nullable IntOperation unsigned(String name) {
    return switch (name) {
      case "min" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Integer.compareUnsigned(a[i], b[i]) < 0 ? a[i] : b[i];
            }
          };
      case "max" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Integer.compareUnsigned(a[i], b[i]) > 0 ? a[i] : b[i];
            }
          };
      case "mul.hi" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (int) ((a[i] & 0xffff_ffffL) * (b[i] & 0xffff_ffffL) >>> 32);
            }
          };
      case "mad.hi" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (int) ((a[i] & 0xffff_ffffL) * (b[i] & 0xffff_ffffL) >>> 32) + c[i];
            }
          };
      case "div" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = b[i] == 0 ? -1 : Integer.divideUnsigned(a[i], b[i]);
            }
          };
      case "rem" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = b[i] == 0 ? a[i] : Integer.remainderUnsigned(a[i], b[i]);
            }
          };
      case "mul24.lo" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (a[i] & 0xff_ffff) * (b[i] & 0xff_ffff);
            }
          };
      case "mad24.lo" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = (a[i] & 0xff_ffff) * (b[i] & 0xff_ffff) + c[i];
            }
          };
      case "sad" ->
          (d, a, b, c) -> {
            for (int i = 0; i < LANES; i++) {
              boolean less = Integer.compareUnsigned(a[i], b[i]) < 0;
              d[i] = c[i] + (less ? b[i] - a[i] : a[i] - b[i]);
            }
          };
      default -> null;
    };
  }

  /** Four products of bytes, and an addend. */
  static IntOperation dp4a(boolean signedA, boolean signedB) {
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        int x = a[i];
        int y = b[i];
        int sum = c[i];
        for (int shift = 0; shift < 32; shift += 8) {
          sum += octet(x, shift, signedA) * octet(y, shift, signedB);
        }
        d[i] = sum;
      }
    };
  }

  /** Two products of halves of a with bytes of b, from its low or its high half. */
  static IntOperation dp2a(boolean signedA, boolean signedB, boolean high) {
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        int low = signedA ? (short) a[i] : a[i] & 0xffff;
        int top = signedA ? a[i] >> 16 : a[i] >>> 16;
        int shift = high ? 16 : 0;
        d[i] = c[i] + low * octet(b[i], shift, signedB) + top * octet(b[i], shift + 8, signedB);
      }
    };
  }

  private static int octet(int word, int shift, boolean signed) {
    return signed ? (byte) (word >> shift) : word >> shift & 0xff;
  }
}
