package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.Warp.LANES;

import dev.kancil.cuda.emulator.PredicateInstructions.Comparison;
import dev.kancil.cuda.emulator.RowInstructions.IntTest;
import dev.kancil.cuda.emulator.RowInstructions.LongTest;

/** Comparisons of rows: a few, from which the others follow by exchange and contraries. */
final class Comparisons {
  /** Whether two numbers, neither a NaN, are in a relation. */
  private enum Ordered {
    EQUAL,
    UNEQUAL,
    LESS,
    LESS_OR_EQUAL,
    ANY;

    boolean holds(double a, double b) {
      return switch (this) {
        case EQUAL -> a == b;
        case UNEQUAL -> a < b || a > b;
        case LESS -> a < b;
        case LESS_OR_EQUAL -> a <= b;
        case ANY -> !Double.isNaN(a) && !Double.isNaN(b);
      };
    }
  }

  private Comparisons() {}

  static int equal(int[] a, int[] b) {
    int result = 0;
    for (int i = 0; i < LANES; i++) {
      result |= (a[i] == b[i] ? 1 : 0) << i;
    }
    return result;
  }

  static int equal(long[] a, long[] b) {
    int result = 0;
    for (int i = 0; i < LANES; i++) {
      result |= (a[i] == b[i] ? 1 : 0) << i;
    }
    return result;
  }

  static IntTest less(PtxType type) {
    if (type == PtxType.S16) {
      return (a, b) -> {
        int result = 0;
        for (int i = 0; i < LANES; i++) {
          result |= ((short) a[i] < (short) b[i] ? 1 : 0) << i;
        }
        return result;
      };
    }
    int flip = type.isSigned() ? 0 : Integer.MIN_VALUE;
    return (a, b) -> {
      int result = 0;
      for (int i = 0; i < LANES; i++) {
        result |= ((a[i] ^ flip) < (b[i] ^ flip) ? 1 : 0) << i;
      }
      return result;
    };
  }

  static LongTest longLess(boolean signed) {
    long flip = signed ? 0 : Long.MIN_VALUE;
    return (a, b) -> {
      int result = 0;
      for (int i = 0; i < LANES; i++) {
        result |= ((a[i] ^ flip) < (b[i] ^ flip) ? 1 : 0) << i;
      }
      return result;
    };
  }

  /** A relation that ends in u holds for NaNs: it is the contrary of one that does not. */
  static Comparison ofFloats(
      Form form, String relation, PtxType type, int a, int b, boolean flush) {
    boolean swap = relation.matches("gt|ge|ltu|leu");
    boolean invert = relation.equals("nan") || relation.length() == 3 && !relation.equals("num");
    Ordered ordered =
        switch (relation) {
          case "eq", "neu" -> Ordered.EQUAL;
          case "ne", "equ" -> Ordered.UNEQUAL;
          case "lt", "gt", "leu", "geu" -> Ordered.LESS;
          case "le", "ge", "ltu", "gtu" -> Ordered.LESS_OR_EQUAL;
          case "num", "nan" -> Ordered.ANY;
          default -> throw form.unknown();
        };
    return new Comparison(
        type.isLong() ? null : test(type, ordered, flush),
        type.isLong() ? longTest(ordered) : null,
        swap ? b : a,
        swap ? a : b,
        invert);
  }

  private static IntTest test(PtxType type, Ordered ordered, boolean flush) {
    if (type == PtxType.F32 && !flush) {
      switch (ordered) {
        case EQUAL -> {
          return Comparisons::floatsEqual;
        }
        case LESS -> {
          return Comparisons::floatsLess;
        }
        default -> {}
      }
    }
    return (a, b) -> {
      int result = 0;
      for (int i = 0; i < LANES; i++) {
        float x = number(a[i], type, flush);
        float y = number(b[i], type, flush);
        result |= (ordered.holds(x, y) ? 1 : 0) << i;
      }
      return result;
    };
  }

  private static int floatsEqual(int[] a, int[] b) {
    int result = 0;
    for (int i = 0; i < LANES; i++) {
      result |= (Float.intBitsToFloat(a[i]) == Float.intBitsToFloat(b[i]) ? 1 : 0) << i;
    }
    return result;
  }

  private static int floatsLess(int[] a, int[] b) {
    int result = 0;
    for (int i = 0; i < LANES; i++) {
      result |= (Float.intBitsToFloat(a[i]) < Float.intBitsToFloat(b[i]) ? 1 : 0) << i;
    }
    return result;
  }

  private static float number(int bits, PtxType type, boolean flush) {
    return switch (type) {
      case F16 -> HalfFormat.F16.toFloat(bits);
      case BF16 -> HalfFormat.BF16.toFloat(bits);
      default -> Float.intBitsToFloat(flush ? FloatOperations.flush(bits) : bits);
    };
  }

  private static LongTest longTest(Ordered ordered) {
    return (a, b) -> {
      int result = 0;
      for (int i = 0; i < LANES; i++) {
        boolean holds = ordered.holds(Double.longBitsToDouble(a[i]), Double.longBitsToDouble(b[i]));
        result |= (holds ? 1 : 0) << i;
      }
      return result;
    };
  }

  static IntTest property(String name) {
    return (a, _) -> {
      int result = 0;
      for (int i = 0; i < LANES; i++) {
        float value = Float.intBitsToFloat(a[i]);
        boolean subnormal = value != 0 && Math.abs(value) < Float.MIN_NORMAL;
        result |= (has(name, value, subnormal) ? 1 : 0) << i;
      }
      return result;
    };
  }

  static LongTest longProperty(String name) {
    return (a, _) -> {
      int result = 0;
      for (int i = 0; i < LANES; i++) {
        double value = Double.longBitsToDouble(a[i]);
        boolean subnormal = value != 0 && Math.abs(value) < Double.MIN_NORMAL;
        result |= (has(name, value, subnormal) ? 1 : 0) << i;
      }
      return result;
    };
  }

  private static boolean has(String property, double value, boolean subnormal) {
    return switch (property) {
      case "finite" -> Double.isFinite(value);
      case "infinite" -> Double.isInfinite(value);
      case "number" -> !Double.isNaN(value);
      case "notanumber" -> Double.isNaN(value);
      // Zeros count as normal (PTX ISA, "testp").
      case "normal" -> Double.isFinite(value) && !subnormal;
      default -> subnormal;
    };
  }
}
