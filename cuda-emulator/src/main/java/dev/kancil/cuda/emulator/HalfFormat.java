package dev.kancil.cuda.emulator;

/** Floating-point numbers of 16 bits. */
enum HalfFormat {
  F16(0x7c00) {
    @Override
    float toFloat(int bits) {
      return Float.float16ToFloat((short) bits);
    }

    @Override
    int nearest(float odd) {
      return Float.floatToFloat16(odd) & 0xffff;
    }
  },
  BF16(0x7f80) {
    @Override
    float toFloat(int bits) {
      return Float.intBitsToFloat(bits << 16);
    }

    @Override
    int nearest(float odd) {
      int bits = Float.floatToRawIntBits(odd);
      return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
    }
  };

  /** What results have for a NaN. */
  static final int NAN = 0x7fff;

  private final int exponent;

  HalfFormat(int exponent) {
    this.exponent = exponent;
  }

  static HalfFormat of(PtxType type) {
    return type == PtxType.BF16 || type == PtxType.BF16X2 ? BF16 : F16;
  }

  /** Exact; NaNs stay NaNs. */
  abstract float toFloat(int bits);

  /** Takes a subnormal number for zero. */
  int flush(int bits) {
    return (bits & exponent) == 0 ? bits & 0x8000 : bits;
  }

  /** The nearest number, ties to even, to what was rounded to odd at most. */
  abstract int nearest(float odd);

  /**
   * Rounds once.
   *
   * @param value exact, or rounded to odd
   */
  int round(double value, Rounding rounding) {
    if (Double.isNaN(value)) {
      return NAN;
    }
    float single = (float) value;
    if (single != value && (Float.floatToRawIntBits(single) & 1) == 0) {
      single = Math.nextAfter(single, value);
    }
    int nearest = nearest(single);
    float rounded = toFloat(nearest);
    if (rounding == Rounding.NEAREST || rounded == value || Double.isInfinite(value)) {
      return nearest;
    }
    // To the neighbour on the other side of the value, if the mode says so.
    boolean tooHigh = rounded > value;
    boolean negative = value < 0;
    boolean wantsLower = rounding == Rounding.DOWN || rounding == Rounding.ZERO && !negative;
    if (tooHigh == wantsLower) {
      // Zeros keep the value's sign, so one step in magnitude is the neighbour.
      return nearest + (tooHigh == negative ? 1 : -1);
    }
    return nearest;
  }
}
