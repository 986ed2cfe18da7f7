package dev.kancil.cuda.emulator.micro;

import java.util.SplittableRandom;

/**
 * Values of operands: every pair of some interesting ones for the first two, then random ones, the
 * same for each form. What is written here as a type that PTX does not have is a range: n16x2 are
 * halves near one, i16x2 and j16x2 small whole halves and bfloats, w32 small whole floats.
 */
final class MicroOperands {
  static final int COUNT = 4096;
  private static final long[] INTEGERS = {
    0,
    1,
    2,
    3,
    7,
    31,
    32,
    33,
    63,
    64,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0x8000,
    0xffff,
    0x10000,
    0x5555_5555L,
    0x7fff_ffffL,
    0x8000_0000L,
    0xffff_ffffL,
    0x1_0000_0000L,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -2,
    -7,
    -128
  };
  private static final double[] NUMBERS = {
    0.0,
    -0.0,
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    3,
    0.999999,
    127.5,
    255.5,
    32768,
    65504,
    65520,
    0x1p-14,
    0x1p-24,
    0x1p-25,
    2147483520.0,
    2147483648.0,
    -2147483648.0,
    4294967040.0,
    0x1p63,
    0x1p64,
    0x1p-126,
    -0x1p-127,
    0x1p-149,
    3.4028234e38,
    -3.4028234e38,
    0x1p-1074,
    0x1p1000,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.NaN
  };

  private MicroOperands() {}

  /** The values of all operands; a form of one 16-bit operand gets each that there is. */
  static long[][] of(MicroForm form) {
    boolean small = form.operands().size() == 1 && MicroForm.bits(form.operands().getFirst()) == 16;
    int count = small ? 1 << 16 : COUNT;
    SplittableRandom random = new SplittableRandom(form.operands().hashCode());
    long[][] values = new long[form.operands().size()][count];
    for (int i = 0; i < values.length; i++) {
      String type = form.operands().get(i);
      for (int j = 0; j < count; j++) {
        values[i][j] = small ? j : value(type, i, j, random);
      }
    }
    return values;
  }

  private static long value(String type, int operand, int index, SplittableRandom random) {
    return switch (type) {
      case "n16x2" -> near(random) << 16 | near(random);
      case "i16x2" -> whole(random) << 16 | whole(random);
      case "j16x2" -> wholeBrain(random) << 16 | wholeBrain(random);
      case "w32" -> Float.floatToRawIntBits(random.nextInt(-99, 100)) & 0xffff_ffffL;
      case "f16x2" ->
          half(operand, index, random, false) << 16 | half(operand, index + 1, random, false);
      case "bf16x2" ->
          half(operand, index, random, true) << 16 | half(operand, index + 1, random, true);
      case "f16" -> half(operand, index, random, false);
      case "bf16" -> half(operand, index, random, true);
      case "f32" -> single(operand, index, random);
      case "f64" -> Double.doubleToRawLongBits(number(operand, index, random));
      default -> integer(MicroForm.bits(type), operand, index, random);
    };
  }

  private static int picked(int operand, int index, int choices) {
    if (operand == 0) {
      return index % choices;
    }
    return index / choices < choices ? index / choices : -1;
  }

  private static boolean isPicked(int operand, int index, int choices) {
    return operand < 2 && index < choices * choices && picked(operand, index, choices) >= 0;
  }

  private static long integer(int bits, int operand, int index, SplittableRandom random) {
    long value;
    if (isPicked(operand, index, INTEGERS.length)) {
      value = INTEGERS[picked(operand, index, INTEGERS.length)];
    } else if (random.nextInt(8) == 0) {
      value = INTEGERS[random.nextInt(INTEGERS.length)];
    } else {
      value = random.nextLong() >> random.nextInt(64);
    }
    return bits == 64 ? value : value & (1L << bits) - 1;
  }

  private static double number(int operand, int index, SplittableRandom random) {
    if (isPicked(operand, index, NUMBERS.length)) {
      return NUMBERS[picked(operand, index, NUMBERS.length)];
    }
    return switch (random.nextInt(8)) {
      case 0 -> NUMBERS[random.nextInt(NUMBERS.length)];
      case 1 -> random.nextInt(-100, 100) * 0.5;
      default ->
          Math.scalb(random.nextDouble(-2, 2), random.nextInt(random.nextBoolean() ? 12 : 280) - 6);
    };
  }

  private static long single(int operand, int index, SplittableRandom random) {
    boolean anything = !isPicked(operand, index, NUMBERS.length) && random.nextInt(4) == 0;
    int bits =
        anything
            ? random.nextInt()
            : Float.floatToRawIntBits((float) number(operand, index, random));
    return bits & 0xffff_ffffL;
  }

  private static long half(int operand, int index, SplittableRandom random, boolean isBrain) {
    if (!isPicked(operand, index, NUMBERS.length) && random.nextInt(3) == 0) {
      return random.nextInt(1 << 16);
    }
    float number = (float) number(operand, index, random);
    return isBrain ? Float.floatToRawIntBits(number) >>> 16 : Float.floatToFloat16(number) & 0xffff;
  }

  private static long near(SplittableRandom random) {
    return Float.floatToFloat16((float) random.nextDouble(-2, 2)) & 0xffff;
  }

  private static long wholeBrain(SplittableRandom random) {
    return (Float.floatToRawIntBits(random.nextInt(-30, 31)) & 0xffff_ffffL) >> 16;
  }

  private static long whole(SplittableRandom random) {
    return Float.floatToFloat16(random.nextInt(-30, 31)) & 0xffff;
  }
}
