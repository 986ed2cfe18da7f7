package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.Warp.LANES;

import dev.kancil.cuda.emulator.RowInstructions.IntOperation;
import dev.kancil.cuda.emulator.RowInstructions.LongOperation;
import dev.kancil.cuda.emulator.RowInstructions.NarrowingOperation;
import dev.kancil.cuda.emulator.RowInstructions.ShiftOperation;

/** Logic, shifts and bit fields. */
final class BitOperations {
  private BitOperations() {}

  static IntOperation logic(String name, int bits) {
    return switch (name) {
      case "and" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] & b[i];
            }
          };
      case "or" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] | b[i];
            }
          };
      case "xor" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] ^ b[i];
            }
          };
      case "not" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = ~a[i] & bits;
            }
          };
      default ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] == 0 ? 1 : 0;
            }
          };
    };
  }

  static LongOperation longLogic(String name) {
    return switch (name) {
      case "and" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] & b[i];
            }
          };
      case "or" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] | b[i];
            }
          };
      case "xor" ->
          (d, a, b, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] ^ b[i];
            }
          };
      case "not" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = ~a[i];
            }
          };
      default ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = a[i] == 0 ? 1 : 0;
            }
          };
    };
  }

  /** Shifts of 16 or 32 bits; counts are unsigned and stop at the width. */
  static IntOperation shift(boolean left, boolean signed, int bits) {
    if (left) {
      int mask = (int) ((1L << bits) - 1);
      return (d, a, b, _) -> {
        for (int i = 0; i < LANES; i++) {
          d[i] = (b[i] & ~31) == 0 ? a[i] << b[i] & mask : 0;
        }
      };
    }
    if (!signed) {
      return (d, a, b, _) -> {
        for (int i = 0; i < LANES; i++) {
          d[i] = (b[i] & ~31) == 0 ? a[i] >>> b[i] : 0;
        }
      };
    }
    if (bits == 32) {
      return (d, a, b, _) -> {
        for (int i = 0; i < LANES; i++) {
          d[i] = a[i] >> ((b[i] & ~31) == 0 ? b[i] : 31);
        }
      };
    }
    return (d, a, b, _) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] = (short) a[i] >> ((b[i] & ~31) == 0 ? b[i] : 31) & 0xffff;
      }
    };
  }

  static ShiftOperation longShift(boolean left, boolean signed) {
    if (left) {
      return (d, a, b, _) -> {
        for (int i = 0; i < LANES; i++) {
          d[i] = (b[i] & ~63) == 0 ? a[i] << b[i] : 0;
        }
      };
    }
    if (signed) {
      return (d, a, b, _) -> {
        for (int i = 0; i < LANES; i++) {
          d[i] = a[i] >> ((b[i] & ~63) == 0 ? b[i] : 63);
        }
      };
    }
    return (d, a, b, _) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] = (b[i] & ~63) == 0 ? a[i] >>> b[i] : 0;
      }
    };
  }

  /** Shifts 64 bits, b the upper ones, and takes the upper or the lower half. */
  static IntOperation funnel(boolean left, boolean clamp) {
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        long both = (long) b[i] << 32 | a[i] & 0xffff_ffffL;
        int count = clamp ? ((c[i] & ~31) == 0 ? c[i] : 32) : c[i] & 31;
        d[i] = (int) (left ? both << count >>> 32 : both >>> count);
      }
    };
  }

  /** Bit i of the table is the result where the three bits, a's first, are the number i. */
  static IntOperation lop3(int table) {
    int[] terms = new int[8];
    for (int i = 0; i < 8; i++) {
      terms[i] = -(table >> i & 1);
    }
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        int x = a[i];
        int y = b[i];
        int z = c[i];
        int none = ~z & terms[0] | z & terms[1];
        int second = ~z & terms[2] | z & terms[3];
        int first = ~z & terms[4] | z & terms[5];
        int both = ~z & terms[6] | z & terms[7];
        d[i] = ~x & (~y & none | y & second) | x & (~y & first | y & both);
      }
    };
  }

  /** Four bytes chosen among eight; bit 3 of a choice spreads the byte's sign. */
  static void permute(int[] d, int[] a, int[] b, int[] c) {
    for (int i = 0; i < LANES; i++) {
      long both = (long) b[i] << 32 | a[i] & 0xffff_ffffL;
      int result = 0;
      for (int octet = 0; octet < 4; octet++) {
        int choice = c[i] >>> 4 * octet;
        int value = (int) (both >>> 8 * (choice & 7));
        value = (choice & 8) == 0 ? value & 0xff : (byte) value >> 7 & 0xff;
        result |= value << 8 * octet;
      }
      d[i] = result;
    }
  }

  static IntOperation extract(boolean signed) {
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        long value = signed ? a[i] : a[i] & 0xffff_ffffL;
        d[i] = (int) field(value, place(b[i], 32), place(c[i], 32), 32, signed);
      }
    };
  }

  static ShiftOperation longExtract(boolean signed) {
    return (d, a, b, c) -> {
      for (int i = 0; i < LANES; i++) {
        d[i] = field(a[i], place(b[i], 64), place(c[i], 64), 64, signed);
      }
    };
  }

  /**
   * A position or a length of a bit field, 0 to 255. Above that, the PTX ISA has the lower eight
   * bits count. So it is for fields of 32-bit values; but for 64 bits, NVIDIA's compiler makes
   * shifts that know no such limit.
   */
  static int place(int value, int bits) {
    return bits == 64 && (value & ~0xff) != 0 ? 0xff : value & 0xff;
  }

  private static long field(long value, int position, int count, int bits, boolean signed) {
    if (count == 0) {
      return 0;
    }
    if (position >= bits) {
      return signed ? value >> 63 : 0;
    }
    int length = Math.min(count, bits - position);
    long raised = value << 64 - position - length;
    return signed ? raised >> 64 - length : raised >>> 64 - length;
  }

  static void reverse(int[] d, int[] a, int[] b, int[] c) {
    for (int i = 0; i < LANES; i++) {
      d[i] = Integer.reverse(a[i]);
    }
  }

  static void reverse(long[] d, long[] a, long[] b, long[] c) {
    for (int i = 0; i < LANES; i++) {
      d[i] = Long.reverse(a[i]);
    }
  }

  static IntOperation count(String name, boolean signed, boolean shiftAmount) {
    return switch (name) {
      case "popc" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Integer.bitCount(a[i]);
            }
          };
      case "clz" ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Integer.numberOfLeadingZeros(a[i]);
            }
          };
      default ->
          (d, a, _, _) -> {
            for (int i = 0; i < LANES; i++) {
              int bits = signed ? a[i] ^ a[i] >> 31 : a[i];
              int position = 31 - Integer.numberOfLeadingZeros(bits);
              d[i] = shiftAmount && position >= 0 ? 31 - position : position;
            }
          };
    };
  }

  static NarrowingOperation longCount(String name, boolean signed, boolean shiftAmount) {
    return switch (name) {
      case "popc" ->
          (d, a) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Long.bitCount(a[i]);
            }
          };
      case "clz" ->
          (d, a) -> {
            for (int i = 0; i < LANES; i++) {
              d[i] = Long.numberOfLeadingZeros(a[i]);
            }
          };
      default ->
          (d, a) -> {
            for (int i = 0; i < LANES; i++) {
              long bits = signed ? a[i] ^ a[i] >> 63 : a[i];
              int position = 63 - Long.numberOfLeadingZeros(bits);
              d[i] = shiftAmount && position >= 0 ? 63 - position : position;
            }
          };
    };
  }
}
