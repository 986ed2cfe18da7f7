package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Floating-point instructions against exact decimals and Java's functions. */
class FloatInstructionsTest {
  private static final int COUNT = 4000;

  private static long[] floats(long seed) {
    Random random = new Random(seed);
    long[] values = new long[COUNT];
    for (int i = 0; i < COUNT; i++) {
      float value = (float) Math.scalb(random.nextGaussian(), random.nextInt(40) - 20);
      values[i] = Float.floatToRawIntBits(value) & -1 << random.nextInt(24);
    }
    return values;
  }

  private static float single(long bits) {
    return Float.intBitsToFloat((int) bits);
  }

  private static BigDecimal exact(long bits) {
    return new BigDecimal((double) single(bits));
  }

  @ParameterizedTest
  @CsvSource({"add", "sub", "mul", "fma"})
  void exactResultsAreRoundedAsTheModifierSays(String name) {
    long[] a = floats(1);
    long[] b = floats(2);
    long[] c = floats(3);
    boolean three = name.equals("fma");
    try (InstructionRunner runner = new InstructionRunner()) {
      for (String rounding : List.of("rn", "rz", "rm", "rp")) {
        String text = name + "." + rounding + ".f32 %d, %a0, %a1" + (three ? ", %a2;" : ";");
        long[] result = runner.run(text, "f32", List.of("f32", "f32", "f32"), a, b, c);
        for (int i = 0; i < COUNT; i++) {
          BigDecimal value =
              switch (name) {
                case "add" -> exact(a[i]).add(exact(b[i]));
                case "sub" -> exact(a[i]).subtract(exact(b[i]));
                case "mul" -> exact(a[i]).multiply(exact(b[i]));
                default -> exact(a[i]).multiply(exact(b[i])).add(exact(c[i]));
              };
          assertThat(single(result[i]))
              .as("%s of %s, %s, %s", text, single(a[i]), single(b[i]), single(c[i]))
              .isEqualTo(rounded(value, rounding));
        }
      }
    }
  }

  private static float rounded(BigDecimal value, String rounding) {
    float nearest = value.floatValue();
    int order = new BigDecimal((double) nearest).compareTo(value);
    boolean down = rounding.equals("rm") || rounding.equals("rz") && value.signum() > 0;
    boolean up = rounding.equals("rp") || rounding.equals("rz") && value.signum() < 0;
    if (order > 0 && down) {
      return Math.nextDown(nearest);
    }
    return order < 0 && up ? Math.nextUp(nearest) : nearest;
  }

  @ParameterizedTest
  @CsvSource({"rn,0", "rz,0", "rp,0", "rm,0x80000000"})
  void anExactSumOfZeroIsNegativeWhereRoundingIsDown(String rounding, long zero) {
    long negative = 0x80000000L;
    long one = 0x3f800000;
    long[] a = {0, 0, negative, negative, one};
    long[] b = {0, negative, 0, negative, one ^ negative};
    long[] minusB = {negative, 0, negative, 0, one};
    long[] ones = {one, one, one, one, one};
    List<String> types = List.of("f32", "f32", "f32");
    try (InstructionRunner runner = new InstructionRunner()) {
      for (String flush : List.of("", ".ftz")) {
        String modifiers = "." + rounding + flush + ".f32 %d, ";
        String sum = "add" + modifiers + "%a0, %a1;";
        assertThat(runner.run(sum, "b32", types, a, b, ones))
            .containsExactly(0, zero, zero, negative, zero);
        String difference = "sub" + modifiers + "%a0, %a1;";
        assertThat(runner.run(difference, "b32", types, a, minusB, ones))
            .containsExactly(0, zero, zero, negative, zero);
        String product = "fma" + modifiers + "%a0, %a2, %a1;";
        assertThat(runner.run(product, "b32", types, a, b, ones))
            .containsExactly(0, zero, zero, negative, zero);
      }
      // Flushing makes the zero; a sum that is only rounded to zero keeps its sign.
      long[] smallest = {1};
      assertThat(
              runner.run(
                  "add." + rounding + ".ftz.f32 %d, %a0, %a1;",
                  "b32",
                  List.of("f32", "f32"),
                  smallest,
                  new long[] {negative | 2}))
          .containsExactly(zero);
      assertThat(
              runner.run(
                  "fma." + rounding + ".f32 %d, %a0, %a0, %a1;",
                  "b32",
                  List.of("f32", "f32"),
                  new long[] {0x00800000},
                  new long[] {negative}))
          .containsExactly(rounding.equals("rp") ? 1 : 0);
    }
  }

  @Test
  void zerosCountAsNormal() {
    long[] singles = {0, 0x80000000L, 1, 0x807fffffL, 0x00800000, 0x3f800000, 0x7f800000, -1};
    long[] doubles = {
      0, Long.MIN_VALUE, 1, 0x800fffffffffffffL, 1L << 52, 1L << 61, 0x7ffL << 52, -1
    };
    try (InstructionRunner runner = new InstructionRunner()) {
      for (String type : List.of("f32", "f64")) {
        long[] values = type.equals("f32") ? singles : doubles;
        String text = "testp.%s." + type + " %%p2, %%a0; selp.u32 %%d, 1, 0, %%p2;";
        List<String> types = List.of(type);
        assertThat(runner.run(text.formatted("normal"), "b32", types, values))
            .containsExactly(1, 1, 0, 0, 1, 1, 0, 0);
        assertThat(runner.run(text.formatted("subnormal"), "b32", types, values))
            .containsExactly(0, 0, 1, 1, 0, 0, 0, 0);
        assertThat(runner.run(text.formatted("finite"), "b32", types, values))
            .containsExactly(1, 1, 1, 1, 1, 1, 0, 0);
      }
    }
  }

  @Test
  void powersOfTwoThatAreNormalAsBrainFloatsAreNotFlushed() {
    // -119.5, -125.5, -126, -126.5, -200, 2^-120, the smallest normal and a subnormal number.
    long[] a = {0xc2ef, 0xc2fb, 0xc2fc, 0xc2fd, 0xc348, 0x0380, 0x0080, 0x8001};
    long[] expected = {0x03b5, 0x00b5, 0x0080, 0, 0, 0x3f80, 0x3f80, 0x3f80};
    try (InstructionRunner runner = new InstructionRunner()) {
      assertThat(runner.run("ex2.approx.ftz.bf16 %d, %a0;", "b16", List.of("b16"), a))
          .containsExactly(expected);
      assertThat(runner.run("ex2.approx.ftz.bf16x2 %d, %a0;", "b32", List.of("b32"), both(a)))
          .containsExactly(both(expected));
    }
  }

  @Test
  void halvesAreFlushedWhereTheyAreSubnormal() {
    long[] a = {0x0400, 0x03ff, 0x83ff, 0x8400};
    long[] one = {0x3c00, 0x3c00, 0x3c00, 0x3c00};
    try (InstructionRunner runner = new InstructionRunner()) {
      assertThat(runner.run("mul.ftz.f16 %d, %a0, %a1;", "b16", List.of("b16", "b16"), a, one))
          .containsExactly(0x0400, 0, 0x8000, 0x8400);
    }
  }

  @ParameterizedTest
  @CsvSource({"rz", "rm", "rp"})
  void quotientsAndRootsAreRoundedToOneSide(String rounding) {
    long[] a = floats(4);
    long[] b = floats(5);
    try (InstructionRunner runner = new InstructionRunner()) {
      List<String> types = List.of("f32", "f32");
      long[] quotients = runner.run("div." + rounding + ".f32 %d, %a0, %a1;", "f32", types, a, b);
      long[] roots =
          runner.run("abs.f32 %a0, %a0; sqrt." + rounding + ".f32 %d, %a0;", "f32", types, a, b);
      for (int i = 0; i < COUNT; i++) {
        if (exact(b[i]).signum() != 0 && exact(a[i]).signum() != 0) {
          BigDecimal quotient = exact(a[i]).divide(exact(b[i]), new MathContext(60));
          assertThat(single(quotients[i])).isEqualTo(rounded(quotient, rounding));
        }
        BigDecimal root = exact(a[i]).abs().sqrt(new MathContext(60));
        assertThat(single(roots[i])).isEqualTo(rounded(root, rounding));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ex2.approx",
    "lg2.approx",
    "sin.approx",
    "cos.approx",
    "tanh.approx",
    "rsqrt.approx",
    "rcp.approx",
    "sqrt.approx"
  })
  void approximationsAreAsGoodAsFloatsCanBe(String name) {
    DoubleUnaryOperator function =
        switch (name) {
          case "ex2.approx" -> x -> Math.pow(2, x);
          case "lg2.approx" -> x -> Math.log(x) / Math.log(2);
          case "sin.approx" -> Math::sin;
          case "cos.approx" -> Math::cos;
          case "tanh.approx" -> Math::tanh;
          case "rsqrt.approx" -> x -> 1 / Math.sqrt(x);
          case "rcp.approx" -> x -> 1 / x;
          default -> Math::sqrt;
        };
    long[] a = floats(6);
    try (InstructionRunner runner = new InstructionRunner()) {
      long[] result = runner.run(name + ".f32 %d, %a0;", "f32", List.of("f32"), a);
      for (int i = 0; i < COUNT; i++) {
        Float expected = (float) function.applyAsDouble(single(a[i]));
        if (expected.isNaN() || expected.isInfinite()) {
          assertThat(Float.valueOf(single(result[i]))).isEqualTo(expected);
        } else {
          assertThat(single(result[i])).isCloseTo(expected, within(Math.ulp(expected)));
        }
      }
    }
  }

  @Test
  void subnormalsAreFlushedAndResultsSaturatedWhereAsked() {
    long[] a = {1, 0x80000001L, 0x00800000, 0x3f000000, 0x40000000, 0xc0000000L, 0x7fc00000};
    long[] b = {0, 0, 0x3f000000, 0x3f000000, 0x3f000000, 0x3f000000, 0x3f800000};
    List<String> types = List.of("f32", "f32");
    try (InstructionRunner runner = new InstructionRunner()) {
      assertThat(runner.run("add.ftz.f32 %d, %a0, %a1;", "b32", types, a, b))
          .startsWith(0, 0, 0x3f000000);
      assertThat(runner.run("mul.ftz.f32 %d, %a0, %a1;", "b32", types, a, b))
          .startsWith(0, 0x80000000L, 0);
      assertThat(runner.run("add.sat.f32 %d, %a0, %a1;", "b32", types, a, b))
          .endsWith(0x3f800000, 0x3f800000, 0, 0);
    }
  }

  @Test
  void aNumberWinsAgainstNanAndZerosHaveAnOrder() {
    long nan = 0x7fc00000;
    long[] a = {nan, 0x3f800000, 0, 0x80000000L, nan};
    long[] b = {0x3f800000, nan, 0x80000000L, 0, nan};
    List<String> types = List.of("f32", "f32");
    try (InstructionRunner runner = new InstructionRunner()) {
      assertThat(runner.run("min.f32 %d, %a0, %a1;", "b32", types, a, b))
          .containsExactly(0x3f800000, 0x3f800000, 0x80000000L, 0x80000000L, nan);
      assertThat(runner.run("max.f32 %d, %a0, %a1;", "b32", types, a, b))
          .containsExactly(0x3f800000, 0x3f800000, 0, 0, nan);
      assertThat(runner.run("max.NaN.f32 %d, %a0, %a1;", "b32", types, a, b))
          .containsExactly(nan, nan, 0, 0, nan);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"
  })
  void comparisonsKnowNan(String relation) {
    double[] numbers = {1, 2, Double.NaN, 0, -0.0, Double.NEGATIVE_INFINITY};
    long[] a = new long[36];
    long[] b = new long[36];
    for (int i = 0; i < 36; i++) {
      a[i] = Double.doubleToRawLongBits(numbers[i / 6]);
      b[i] = Double.doubleToRawLongBits(numbers[i % 6]);
    }
    String doubles = "setp." + relation + ".f64 %p2, %a0, %a1; selp.u32 %d, 1, 0, %p2;";
    String singles =
        ".reg .f32 %x, %y; cvt.rn.f32.f64 %x, %a0; cvt.rn.f32.f64 %y, %a1;"
            + doubles.replace(".f64", ".f32").replace("%a0", "%x").replace("%a1", "%y");
    try (InstructionRunner runner = new InstructionRunner()) {
      for (String text : List.of(doubles, singles)) {
        long[] result = runner.run(text, "b32", List.of("f64", "f64"), a, b);
        for (int i = 0; i < 36; i++) {
          double x = numbers[i / 6];
          double y = numbers[i % 6];
          boolean nan = Double.isNaN(x) || Double.isNaN(y);
          boolean expected =
              switch (relation) {
                case "eq" -> x == y;
                case "ne" -> !nan && x != y;
                case "lt" -> x < y;
                case "le" -> x <= y;
                case "gt" -> x > y;
                case "ge" -> x >= y;
                case "equ" -> nan || x == y;
                case "neu" -> x != y;
                case "ltu" -> nan || x < y;
                case "leu" -> nan || x <= y;
                case "gtu" -> nan || x > y;
                case "geu" -> nan || x >= y;
                case "num" -> !nan;
                default -> nan;
              };
          assertThat(result[i] == 1).as("%s of %s, %s", text, x, y).isEqualTo(expected);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"f16,false", "bf16,true"})
  void halvesAreComputedExactlyAndRoundedOnce(String type, boolean brain) {
    Random random = new Random(7);
    long[] a = random.longs(COUNT, 0, 65_536).toArray();
    long[] b = random.longs(COUNT, 0, 65_536).toArray();
    long[] c = random.longs(COUNT, 0, 65_536).toArray();
    List<String> types = List.of("b16", "b16", "b16");
    List<String> words = List.of("b32", "b32", "b32");
    try (InstructionRunner runner = new InstructionRunner()) {
      long[] result = runner.run("fma.rn." + type + " %d, %a0, %a1, %a2;", "b16", types, a, b, c);
      long[] packed =
          runner.run(
              "fma.rn." + type + "x2 %d, %a0, %a1, %a2;", "b32", words, both(a), both(b), both(c));
      for (int i = 0; i < COUNT; i++) {
        double x = half(a[i], brain);
        double y = half(b[i], brain);
        double z = half(c[i], brain);
        assertThat(packed[i] & 0xffff).isEqualTo(result[i]);
        assertThat(packed[i] >>> 16).isEqualTo(result[COUNT - 1 - i]);
        if (!Double.isFinite(x) || !Double.isFinite(y) || !Double.isFinite(z)) {
          continue;
        }
        BigDecimal exact = new BigDecimal(x).multiply(new BigDecimal(y)).add(new BigDecimal(z));
        float got = half(result[i], brain);
        if (Float.isInfinite(got)) {
          assertThat(exact.abs().doubleValue()).isGreaterThan(brain ? 3.38e38 : 65_519);
          continue;
        }
        // No neighbour is nearer.
        BigDecimal error = exact.subtract(new BigDecimal((double) got)).abs();
        for (int step = -1; step <= 1; step += 2) {
          float neighbour = half(result[i] + step, brain);
          if (Float.isFinite(neighbour)) {
            assertThat(error)
                .isLessThanOrEqualTo(exact.subtract(new BigDecimal((double) neighbour)).abs());
          }
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"f16,false", "bf16,true"})
  void pairsOfHalvesAreComparedAndCombined(String type, boolean brain) {
    Random random = new Random(8);
    long[] a = both(random.longs(COUNT, 0, 65_536).toArray());
    long[] b = both(random.longs(COUNT, 0, 65_536).toArray());
    List<String> words = List.of("b32", "b32");
    try (InstructionRunner runner = new InstructionRunner()) {
      for (String name : List.of("add", "sub", "mul", "min", "max", "lt", "neu")) {
        boolean compares = name.equals("lt") || name.equals("neu");
        String text =
            compares
                ? "set." + name + "." + type + "x2." + type + "x2 %d, %a0, %a1;"
                : name + "." + type + "x2 %d, %a0, %a1;";
        long[] result = runner.run(text, "b32", words, a, b);
        for (int i = 0; i < 2 * COUNT; i++) {
          int shift = 16 * (i & 1);
          double x = half(a[i / 2] >> shift & 0xffff, brain);
          double y = half(b[i / 2] >> shift & 0xffff, brain);
          double exact =
              switch (name) {
                case "add" -> x + y;
                case "sub" -> x - y;
                case "mul" -> x * y;
                case "min" -> Double.isNaN(x) ? y : Double.isNaN(y) ? x : Math.min(x, y);
                case "max" -> Double.isNaN(x) ? y : Double.isNaN(y) ? x : Math.max(x, y);
                case "lt" -> x < y ? 1 : 0;
                default -> x != y ? 1 : 0;
              };
          float got = half(result[i / 2] >> shift & 0xffff, brain);
          if (Double.isNaN(exact) || Float.isInfinite(got)) {
            assertThat(Float.isNaN(got) || Math.abs(exact) > (brain ? 3.38e38 : 65_519)).isTrue();
            continue;
          }
          // Half a unit in the last place, of normal or of subnormal numbers.
          double unit =
              Math.max(Math.abs(exact) * (brain ? 0x1p-8 : 0x1p-11), brain ? 0x1p-134 : 0x1p-25);
          assertThat((double) got).as("%s of %s, %s", text, x, y).isCloseTo(exact, within(unit));
        }
      }
    }
  }

  private static long[] both(long[] low) {
    long[] words = new long[low.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = low[low.length - 1 - i] << 16 | low[i];
    }
    return words;
  }

  private static float half(long bits, boolean brain) {
    return brain ? Float.intBitsToFloat((int) bits << 16) : Float.float16ToFloat((short) bits);
  }
}
