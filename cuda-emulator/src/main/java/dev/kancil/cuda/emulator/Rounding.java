package dev.kancil.cuda.emulator;

/** How results between two numbers are rounded, and sums that keep what rounding lost. */
enum Rounding {
  NEAREST,
  ZERO,
  DOWN,
  UP;

  static Rounding named(String name) {
    return switch (name) {
      case "rz", "rzi" -> ZERO;
      case "rm", "rmi" -> DOWN;
      case "rp", "rpi" -> UP;
      default -> NEAREST;
    };
  }

  /**
   * Rounds to a float.
   *
   * @param error what the exact value is more than {@code value}; only its sign matters, unless
   *     {@code value} is a float
   */
  float toFloat(double value, double error) {
    float nearest = (float) odd(value, error);
    if (this == NEAREST || Double.isNaN(value) || Double.isInfinite(value)) {
      return nearest;
    }
    // Where the exact value lies beside the nearest float.
    int side = Double.compare(value, nearest);
    if (value == nearest) {
      side = error > 0 ? 1 : error < 0 ? -1 : 0;
    }
    boolean negative = value < 0;
    if (side > 0 && (this == UP || this == ZERO && negative)) {
      return Math.nextUp(nearest);
    }
    if (side < 0 && (this == DOWN || this == ZERO && !negative)) {
      return Math.nextDown(nearest);
    }
    return nearest;
  }

  /**
   * {@code a + b}, rounded once to a float. An exact sum of zero is positive, but negative where
   * rounding is down, unless both are zeros of the same sign (IEEE 754, 6.3).
   */
  float sum(double a, double b) {
    double sum = a + b;
    if (this == DOWN && sum == 0) {
      boolean bothPositive =
          Double.doubleToRawLongBits(a) == 0 && Double.doubleToRawLongBits(b) == 0;
      return bothPositive ? 0.0f : -0.0f;
    }
    return toFloat(sum, sumError(a, b));
  }

  /** What {@code a + b} is more than its rounded sum (Knuth's TwoSum). */
  static double sumError(double a, double b) {
    double sum = a + b;
    double other = sum - a;
    return a - (sum - other) + (b - other);
  }

  /**
   * Rounds to odd: a value that was not exact gets an odd last bit, so that rounding it once more
   * to fewer digits is as good as rounding once (Boldo, Melquiond 2008).
   */
  static double odd(double value, double error) {
    if (error == 0 || Double.isNaN(error) || Double.isInfinite(value)) {
      return value;
    }
    long bits = Double.doubleToRawLongBits(value);
    if ((bits & 1) != 0) {
      return value;
    }
    boolean away = error > 0 == value > 0;
    if (value == 0) {
      return error > 0 ? Double.MIN_VALUE : -Double.MIN_VALUE;
    }
    return Double.longBitsToDouble(away ? bits + 1 : bits - 1);
  }
}
