package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Conversions between numbers, where it can be on all patterns. */
class ConversionsTest {
  private static float half(int bits, boolean brain) {
    return brain ? Float.intBitsToFloat(bits << 16) : Float.float16ToFloat((short) bits);
  }

  private static long[] allPatterns() {
    long[] values = new long[65_536];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    return values;
  }

  @ParameterizedTest
  @ValueSource(strings = {"f16", "bf16"})
  void allHalvesBecomeFloatsAndComeBack(String type) {
    boolean brain = type.equals("bf16");
    long[] patterns = allPatterns();
    try (InstructionRunner runner = new InstructionRunner()) {
      long[] floats = runner.run("cvt.f32." + type + " %d, %a0;", "f32", List.of("b16"), patterns);
      long[] back = runner.run("cvt.rn." + type + ".f32 %d, %a0;", "b16", List.of("f32"), floats);
      for (int i = 0; i < patterns.length; i++) {
        float value = half(i, brain);
        assertThat(Float.valueOf(Float.intBitsToFloat((int) floats[i]))).isEqualTo((Object) value);
        assertThat(back[i]).isEqualTo(Float.isNaN(value) ? 0x7fff : i);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"f16,rn", "f16,rz", "bf16,rn", "bf16,rz"})
  void floatsBecomeTheNearestHalf(String type, String rounding) {
    boolean brain = type.equals("bf16");
    Random random = new Random(1);
    long[] values = new long[50_000];
    for (int i = 0; i < values.length; i++) {
      // Around the middle of two neighbours, where it matters.
      float low = half(random.nextInt(65_536), brain);
      float high = half(random.nextInt(65_536), brain);
      float value = i % 2 == 0 ? high : (low + Math.nextUp(low)) / 2;
      int bits = Float.floatToRawIntBits(value) ^ random.nextInt(3) << random.nextInt(14);
      values[i] = Float.isNaN(Float.intBitsToFloat(bits)) ? 0 : bits;
    }
    try (InstructionRunner runner = new InstructionRunner()) {
      String text = "cvt." + rounding + "." + type + ".f32 %d, %a0;";
      long[] result = runner.run(text, "b16", List.of("f32"), values);
      for (int i = 0; i < values.length; i++) {
        float value = Float.intBitsToFloat((int) values[i]);
        assertThat(result[i]).as("%s of %s", text, value).isEqualTo(search(value, brain, rounding));
      }
    }
  }

  /** The half below in magnitude, or the next, by exact comparison. */
  private static int search(float value, boolean brain, String rounding) {
    int sign = Float.floatToRawIntBits(value) >>> 16 & 0x8000;
    int infinity = brain ? 0x7f80 : 0x7c00;
    float magnitude = Math.abs(value);
    int low = 0;
    int high = infinity;
    while (high - low > 1) {
      int middle = (low + high) / 2;
      if (half(middle, brain) <= magnitude) {
        low = middle;
      } else {
        high = middle;
      }
    }
    if (magnitude == Float.POSITIVE_INFINITY) {
      return sign | infinity;
    }
    // Infinity stands for what would follow the largest number.
    double below = half(low, brain);
    double step = high == infinity ? below - half(low - 1, brain) : half(high, brain) - below;
    double part = (magnitude - below) / step;
    boolean up = rounding.equals("rn") && (part > 0.5 || part == 0.5 && (low & 1) == 1);
    return sign | (up ? high : low);
  }

  @ParameterizedTest
  @CsvSource({
    "f32,s32,rzi",
    "f32,u32,rzi",
    "f32,s32,rni",
    "f32,s64,rmi",
    "f32,u64,rpi",
    "f64,s32,rni",
    "f64,u64,rzi",
    "f64,s64,rzi",
    "f32,s16,rzi",
    "f32,u16,rni",
    "f64,u32,rmi"
  })
  void floatsBecomeWholeNumbersWithinTheirRange(String from, String to, String rounding) {
    boolean isDouble = from.equals("f64");
    int bits = Integer.parseInt(to.substring(1));
    boolean signed = to.startsWith("s");
    Random random = new Random(2);
    long[] values = new long[5000];
    for (int i = 0; i < values.length; i++) {
      double value = random.nextGaussian() * Math.scalb(1.0, random.nextInt(70) - 2);
      value = i % 5 == 0 ? Math.rint(value) + 0.5 : value;
      value = i == 0 ? Double.POSITIVE_INFINITY : i == 1 ? Double.NEGATIVE_INFINITY : value;
      value = i == 2 ? Double.NaN : value;
      values[i] =
          isDouble ? Double.doubleToRawLongBits(value) : Float.floatToRawIntBits((float) value);
    }
    BigInteger least = signed ? BigInteger.TWO.pow(bits - 1).negate() : BigInteger.ZERO;
    BigInteger most = BigInteger.TWO.pow(signed ? bits - 1 : bits).subtract(BigInteger.ONE);
    RoundingMode mode =
        switch (rounding) {
          case "rzi" -> RoundingMode.DOWN;
          case "rni" -> RoundingMode.HALF_EVEN;
          case "rmi" -> RoundingMode.FLOOR;
          default -> RoundingMode.CEILING;
        };
    try (InstructionRunner runner = new InstructionRunner()) {
      String text = "cvt." + rounding + "." + to + "." + from + " %d, %a0;";
      long[] result = runner.run(text, to, List.of(from), values);
      for (int i = 0; i < values.length; i++) {
        double value =
            isDouble ? Double.longBitsToDouble(values[i]) : Float.intBitsToFloat((int) values[i]);
        BigInteger expected;
        if (Double.isNaN(value)) {
          expected = isDouble || bits == 64 ? BigInteger.TWO.pow(bits - 1) : BigInteger.ZERO;
        } else if (Double.isInfinite(value)) {
          expected = value > 0 ? most : least;
        } else {
          expected = new BigDecimal(value).setScale(0, mode).toBigInteger().max(least).min(most);
        }
        long mask = -1L >>> 64 - bits;
        assertThat(result[i] & mask)
            .as("%s of %s", text, value)
            .isEqualTo(expected.longValue() & mask);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "s32,f32,rn",
    "u32,f32,rn",
    "s64,f32,rn",
    "u64,f32,rn",
    "s64,f64,rn",
    "u64,f64,rn",
    "u32,f64,rn",
    "s32,f32,rz",
    "u64,f32,rp",
    "s64,f32,rm"
  })
  void wholeNumbersBecomeTheNearestFloat(String from, String to, String rounding) {
    int bits = Integer.parseInt(from.substring(1));
    boolean signed = from.startsWith("s");
    Random random = new Random(3);
    long[] values = new long[5000];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextLong() >> random.nextInt(64);
      // Just beside the middle of two floats.
      values[i] = i % 3 == 0 ? (values[i] | 1L << 62) & -1L << 38 | 1L << 38 | i % 2 : values[i];
    }
    try (InstructionRunner runner = new InstructionRunner()) {
      String text = "cvt." + rounding + "." + to + "." + from + " %d, %a0;";
      long[] result = runner.run(text, to, List.of(from), values);
      for (int i = 0; i < values.length; i++) {
        BigInteger number =
            BigInteger.valueOf(values[i]).and(BigInteger.TWO.pow(bits).subtract(BigInteger.ONE));
        if (signed && number.testBit(bits - 1)) {
          number = number.subtract(BigInteger.TWO.pow(bits));
        }
        if (to.equals("f64")) {
          assertThat(Double.longBitsToDouble(result[i])).isEqualTo(number.doubleValue());
        } else {
          float nearest = number.floatValue();
          int order = new BigDecimal((double) nearest).compareTo(new BigDecimal(number));
          boolean towardsZero =
              rounding.equals("rz") && Math.abs(order) > 0 && (order > 0 == nearest > 0);
          if (rounding.equals("rm") && order > 0 || towardsZero && nearest > 0) {
            nearest = Math.nextDown(nearest);
          } else if (rounding.equals("rp") && order < 0 || towardsZero) {
            nearest = Math.nextUp(nearest);
          }
          assertThat(Float.intBitsToFloat((int) result[i])).as("%s", number).isEqualTo(nearest);
        }
      }
    }
  }

  @Test
  void wholeNumbersAreExtendedCutAndSaturated() {
    Random random = new Random(4);
    long[] values = random.longs(5000).map(v -> v >> random.nextInt(64)).toArray();
    try (InstructionRunner runner = new InstructionRunner()) {
      long[] a = runner.run("cvt.s64.s8 %d, %a0;", "b64", List.of("b32"), values);
      long[] b = runner.run("cvt.u32.u16 %d, %a0;", "b32", List.of("b32"), values);
      long[] c = runner.run("cvt.sat.s8.s64 %d, %a0;", "b32", List.of("b64"), values);
      long[] d = runner.run("cvt.sat.u16.s32 %d, %a0;", "b16", List.of("b32"), values);
      long[] e = runner.run("cvt.sat.s32.u64 %d, %a0;", "b32", List.of("b64"), values);
      long[] f = runner.run("cvt.s16.s8 %d, %a0;", "b16", List.of("b16"), values);
      for (int i = 0; i < values.length; i++) {
        int narrowed = (int) values[i];
        assertThat(a[i]).isEqualTo((byte) values[i]);
        assertThat(b[i]).isEqualTo(values[i] & 0xffff);
        assertThat((int) c[i]).isEqualTo(Math.clamp(values[i], -128, 127));
        assertThat(d[i]).isEqualTo(Math.clamp((long) narrowed, 0, 65_535));
        boolean huge = values[i] < 0 || values[i] > Integer.MAX_VALUE;
        assertThat(e[i]).isEqualTo(huge ? Integer.MAX_VALUE : values[i]);
        assertThat((short) f[i]).isEqualTo((byte) values[i]);
      }
    }
  }
}
