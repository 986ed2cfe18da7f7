package dev.kancil.cuda.emulator;

import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/** Conversions of one number's bits; the bits above a source's type are whatever they are. */
final class Conversions {
  private static final double TWO_63 = 0x1p63;

  private Conversions() {}

  /** A number of some bits as a long. */
  static long extend(long bits, PtxType type) {
    int unused = 64 - type.bits;
    return type.isSigned() ? bits << unused >> unused : bits << unused >>> unused;
  }

  static LongUnaryOperator betweenWhole(PtxType from, PtxType to, boolean saturate) {
    if (!saturate) {
      return value -> extend(extend(value, from), to);
    }
    return value -> {
      long number = extend(value, from);
      // Only u64 has numbers that a long has not.
      boolean huge = from == PtxType.U64 && number < 0;
      if (to == PtxType.U64) {
        return huge ? number : Math.max(number, 0);
      }
      return huge ? largest(to) : Math.clamp(number, smallest(to), largest(to));
    };
  }

  private static long smallest(PtxType type) {
    return type.isSigned() ? -1L << type.bits - 1 : 0;
  }

  private static long largest(PtxType type) {
    return -1L >>> 64 - type.bits + (type.isSigned() ? 1 : 0);
  }

  static @Nullable LongUnaryOperator fromWhole(
      PtxType from, PtxType to, Rounding mode, boolean saturate) {
    if (to == PtxType.F64 && mode != Rounding.NEAREST && from.bits == 64) {
      return null;
    }
    return value -> {
      long number = extend(value, from);
      double nearest = from == PtxType.U64 && number < 0 ? unsigned(number) : number;
      double error = error(number, nearest, from == PtxType.U64);
      double result = saturate ? FloatOperations.saturate(nearest) : nearest;
      return switch (to) {
        case F64 -> Double.doubleToRawLongBits(result);
        case F32 -> Float.floatToRawIntBits(mode.toFloat(result, error));
        default -> HalfFormat.of(to).round(Rounding.odd(result, error), mode);
      };
    };
  }

  /** The nearest double; the bit that is shifted out makes ties that are none uneven. */
  private static double unsigned(long number) {
    return 2 * (double) (number >>> 1 | number & 1);
  }

  /** What a whole number is more than its nearest double. */
  private static double error(long number, double nearest, boolean unsigned) {
    if (unsigned && number < 0) {
      return nearest == 2 * TWO_63 ? number : number - ((long) (nearest - TWO_63) + Long.MIN_VALUE);
    }
    return nearest == TWO_63 ? (double) (number - Long.MAX_VALUE) - 1 : number - (long) nearest;
  }

  /** NaNs become 0, or the highest bit alone where 64 bits take part. */
  static LongUnaryOperator toWhole(PtxType from, PtxType to, Rounding mode, boolean flush) {
    long ofNan = from == PtxType.F64 || to.bits == 64 ? 1L << to.bits - 1 : 0;
    return value -> {
      double number = number(value, from, flush);
      if (Double.isNaN(number)) {
        return extend(ofNan, to);
      }
      double whole = whole(number, mode);
      if (to == PtxType.U64) {
        if (whole <= 0) {
          return 0;
        }
        return whole < TWO_63
            ? (long) whole
            : whole < 2 * TWO_63 ? (long) (whole - TWO_63) + Long.MIN_VALUE : -1;
      }
      return Math.clamp((long) whole, smallest(to), largest(to));
    };
  }

  private static double whole(double number, Rounding mode) {
    return switch (mode) {
      case NEAREST -> Math.rint(number);
      case ZERO -> number < 0 ? Math.ceil(number) : Math.floor(number);
      case DOWN -> Math.floor(number);
      case UP -> Math.ceil(number);
    };
  }

  private static double number(long bits, PtxType type, boolean flush) {
    return switch (type) {
      case F16, BF16 -> HalfFormat.of(type).toFloat((int) bits & 0xffff);
      case F32 -> Float.intBitsToFloat(flush ? FloatOperations.flush((int) bits) : (int) bits);
      default -> Double.longBitsToDouble(bits);
    };
  }

  static LongUnaryOperator betweenFloats(
      PtxType from,
      PtxType to,
      Rounding mode,
      boolean toWhole,
      boolean flush,
      boolean saturate,
      boolean relu) {
    return value -> {
      double number = number(value, from, flush);
      if (toWhole) {
        number = whole(number, mode);
      }
      if (saturate) {
        number = FloatOperations.saturate(number);
      }
      if (relu && number <= 0) {
        number = 0;
      }
      return switch (to) {
        case F64 -> Double.doubleToRawLongBits(number);
        case F32 -> {
          int bits = Float.floatToRawIntBits(mode.toFloat(number, 0));
          yield flush ? FloatOperations.flush(bits) : bits;
        }
        default -> HalfFormat.of(to).round(number, mode);
      };
    };
  }
}
