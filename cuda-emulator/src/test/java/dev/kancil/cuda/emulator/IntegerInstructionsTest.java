package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Integer instructions at corner values and random ones, against Java's big integers. */
class IntegerInstructionsTest {
  private static final int COUNT = 3000;

  /** Corner values, then random ones. */
  private static long[] operands(int bits, long seed) {
    Random random = new Random(seed);
    long top = 1L << bits - 1;
    long[] corners = {0, 1, -1, top, top - 1, 2, 3, 31, 32, 33, 63, 64, 255, 256};
    long[] values = new long[COUNT];
    for (int i = 0; i < COUNT; i++) {
      long value =
          random.nextInt(3) == 0 ? corners[random.nextInt(corners.length)] : random.nextLong();
      values[i] = random.nextInt(4) == 0 ? value >> random.nextInt(bits) : value;
    }
    return values;
  }

  private static BigInteger number(long bits, int width, boolean signed) {
    BigInteger value = BigInteger.valueOf(bits).and(mask(width));
    return signed && value.testBit(width - 1)
        ? value.subtract(BigInteger.ONE.shiftLeft(width))
        : value;
  }

  private static BigInteger mask(int width) {
    return BigInteger.ONE.shiftLeft(width).subtract(BigInteger.ONE);
  }

  @ParameterizedTest
  @CsvSource({"16,true", "16,false", "32,true", "32,false", "64,true", "64,false"})
  void arithmetic(int bits, boolean signed) {
    String type = (signed ? "s" : "u") + bits;
    long[] a = operands(bits, 1);
    long[] b = operands(bits, 2);
    long[] c = operands(bits, 3);
    List<String> names =
        List.of("add", "sub", "mul.lo", "mul.hi", "mad.lo", "mad.hi", "div", "rem", "min", "max");
    try (InstructionRunner runner = new InstructionRunner()) {
      for (String name : names) {
        boolean three = name.startsWith("mad");
        String text = name + "." + type + " %d, %a0, %a1" + (three ? ", %a2;" : ";");
        long[] result = runner.run(text, "b" + bits, List.of(type, type, type), a, b, c);
        for (int i = 0; i < COUNT; i++) {
          BigInteger x = number(a[i], bits, signed);
          BigInteger y = number(b[i], bits, signed);
          BigInteger z = number(c[i], bits, signed);
          boolean divides = name.equals("div") || name.equals("rem");
          if (divides && y.signum() == 0) {
            continue;
          }
          BigInteger expected =
              switch (name) {
                case "add" -> x.add(y);
                case "sub" -> x.subtract(y);
                case "mul.lo" -> x.multiply(y);
                case "mul.hi" -> x.multiply(y).shiftRight(bits);
                case "mad.lo" -> x.multiply(y).add(z);
                case "mad.hi" -> x.multiply(y).shiftRight(bits).add(z);
                case "div" -> x.divide(y);
                case "rem" -> x.remainder(y);
                case "min" -> x.min(y);
                default -> x.max(y);
              };
          assertThat(number(result[i], bits, false))
              .as("%s of %s, %s, %s", text, x, y, z)
              .isEqualTo(expected.and(mask(bits)));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"16,true", "16,false", "32,true", "32,false"})
  void wideProducts(int bits, boolean signed) {
    String type = (signed ? "s" : "u") + bits;
    String wide = (signed ? "s" : "u") + 2 * bits;
    long[] a = operands(bits, 4);
    long[] b = operands(bits, 5);
    long[] c = operands(2 * bits, 6);
    try (InstructionRunner runner = new InstructionRunner()) {
      String text = "mad.wide." + type + " %d, %a0, %a1, %a2;";
      long[] result = runner.run(text, wide, List.of(type, type, wide), a, b, c);
      for (int i = 0; i < COUNT; i++) {
        BigInteger product = number(a[i], bits, signed).multiply(number(b[i], bits, signed));
        BigInteger expected = product.add(BigInteger.valueOf(c[i])).and(mask(2 * bits));
        assertThat(number(result[i], 2 * bits, false)).isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"16,true", "16,false", "32,true", "32,false", "64,true", "64,false"})
  void comparisonsAndChoices(int bits, boolean signed) {
    String type = (signed ? "s" : "u") + bits;
    long[] a = operands(bits, 7);
    long[] b = operands(bits, 7);
    long[] other = operands(bits, 8);
    for (int i = 0; i < COUNT; i += 2) {
      b[i] = other[i];
    }
    try (InstructionRunner runner = new InstructionRunner()) {
      for (String name : List.of("eq", "ne", "lt", "le", "gt", "ge")) {
        String text =
            "setp."
                + name
                + "."
                + type
                + " %p2|%p3, %a0, %a1;\n"
                + "setp.eq.or.u32 %p2, %r1, 17, %p2;\n"
                + "selp.b32 %r5, 1, 0, %p2;\nselp.u32 %d, 2, 0, !%p3;\nor.b32 %d, %d, %r5;";
        long[] result = runner.run(text.replace("!%p3", "%p3"), "b32", List.of(type, type), a, b);
        for (int i = 0; i < COUNT; i++) {
          int order = number(a[i], bits, signed).compareTo(number(b[i], bits, signed));
          boolean holds =
              switch (name) {
                case "eq" -> order == 0;
                case "ne" -> order != 0;
                case "lt" -> order < 0;
                case "le" -> order <= 0;
                case "gt" -> order > 0;
                default -> order >= 0;
              };
          assertThat(result[i]).as(text).isEqualTo((holds || i == 17 ? 1 : 0) + (holds ? 0 : 2));
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"16,b", "16,u", "16,s", "32,b", "32,u", "32,s", "64,b", "64,u", "64,s"})
  void shifts(int bits, String kind) {
    long[] a = operands(bits, 9);
    long[] b = operands(32, 10);
    for (int i = 0; i < COUNT; i += 2) {
      b[i] &= 127;
    }
    String type = kind + bits;
    boolean left = kind.equals("b");
    try (InstructionRunner runner = new InstructionRunner()) {
      String text = (left ? "shl." : "shr.") + type + " %d, %a0, %a1;";
      long[] result = runner.run(text, "b" + bits, List.of("b" + bits, "u32"), a, b);
      for (int i = 0; i < COUNT; i++) {
        int count = (int) Math.min(b[i] & 0xffff_ffffL, bits);
        BigInteger value = number(a[i], bits, kind.equals("s"));
        BigInteger expected = left ? value.shiftLeft(count) : value.shiftRight(count);
        assertThat(number(result[i], bits, false)).isEqualTo(expected.and(mask(bits)));
      }
    }
  }

  @Test
  void placesOfBitFieldsWrapAtEightBitsButNotInLongs() {
    long[] value = {0x1234, 0x1234, 0x1234, 0x1234, 0x1234, -0x1234, -0x1234};
    long[] from = {8, 0x108, 0, 8, 0xffff_ff08L, 0x8000_0008L, 255};
    long[] count = {4, 4, 0x104, 0x8000_0004L, 0x102, 4, 4};
    List<String> types = List.of("b64", "b32", "b32");
    String low = ".reg .b32 %x, %y; cvt.u32.u64 %x, %a0; mov.b32 %y, -1; ";
    try (InstructionRunner runner = new InstructionRunner()) {
      assertThat(runner.run(low + "bfe.u32 %d, %x, %a1, %a2;", "b32", types, value, from, count))
          .containsExactly(2, 2, 4, 2, 2, 0xd, 0);
      assertThat(runner.run(low + "bfe.s32 %d, %x, %a1, %a2;", "b32", types, value, from, count))
          .containsExactly(2, 2, 4, 2, 0xffff_fffeL, 0xffff_fffdL, 0xffff_ffffL);
      assertThat(runner.run("bfe.u64 %d, %a0, %a1, %a2;", "b64", types, value, from, count))
          .containsExactly(2, 0, 0x1234, 0x12, 0, 0, 0);
      assertThat(runner.run("bfe.s64 %d, %a0, %a1, %a2;", "b64", types, value, from, count))
          .containsExactly(2, 0, 0x1234, 0x12, 0, -1, -1);
      assertThat(
              runner.run(low + "bfi.b32 %d, %x, %y, %a1, %a2;", "b32", types, value, from, count))
          .containsExactly(
              0xffff_f4ffL,
              0xffff_f4ffL,
              0xffff_fff4L,
              0xffff_f4ffL,
              0xffff_fcffL,
              0xffff_fcffL,
              0xffff_ffffL);
      assertThat(
              runner.run(
                  ".reg .b64 %z; mov.b64 %z, -1; bfi.b64 %d, %a0, %z, %a1, %a2;",
                  "b64", types, value, from, count))
          .containsExactly(0xffff_ffff_ffff_f4ffL, -1, 0x1234, 0x1234ff, -1, -1, -1);
    }
  }

  @Test
  void bitFields() {
    long[] a = operands(32, 11);
    long[] b = operands(32, 12);
    long[] from = operands(32, 13);
    long[] count = operands(32, 14);
    for (int i = 0; i < COUNT; i++) {
      from[i] &= 63;
      count[i] &= 63;
    }
    List<String> types = List.of("b32", "b32", "b32", "b32");
    try (InstructionRunner runner = new InstructionRunner()) {
      long[] inserted =
          runner.run("bfi.b32 %d, %a0, %a1, %a2, %a3;", "b32", types, a, b, from, count);
      long[] unsigned = runner.run("bfe.u32 %d, %a0, %a2, %a3;", "b32", types, a, b, from, count);
      long[] signed = runner.run("bfe.s32 %d, %a0, %a2, %a3;", "b32", types, a, b, from, count);
      for (int i = 0; i < COUNT; i++) {
        // Bit by bit, as the specification says it.
        int insert = (int) b[i];
        int extract = 0;
        int sign = 0;
        if (count[i] > 0) {
          sign = (int) (a[i] >>> Math.min(from[i] + count[i] - 1, 31) & 1);
        }
        int extended = 0;
        for (int bit = 0; bit < 32; bit++) {
          boolean within = bit < count[i] && from[i] + bit <= 31;
          int picked = within ? (int) (a[i] >>> from[i] + bit & 1) : 0;
          extract |= picked << bit;
          extended |= (within ? picked : sign) << bit;
          if (within) {
            int at = (int) from[i] + bit;
            insert = insert & ~(1 << at) | (int) (a[i] >>> bit & 1) << at;
          }
        }
        assertThat((int) inserted[i]).isEqualTo(insert);
        assertThat((int) unsigned[i]).isEqualTo(extract);
        assertThat((int) signed[i]).isEqualTo(extended);
      }
    }
  }

  @Test
  void countsPermutationsFunnelsTablesAndDotProducts() {
    long[] a = operands(32, 15);
    long[] b = operands(32, 16);
    long[] c = operands(32, 17);
    List<String> types = List.of("b32", "b32", "b32");
    try (InstructionRunner runner = new InstructionRunner()) {
      long[] popc = runner.run("popc.b32 %d, %a0;", "b32", types, a, b, c);
      long[] clz = runner.run("clz.b32 %d, %a0;", "b32", types, a, b, c);
      long[] brev = runner.run("brev.b32 %d, %a0;", "b32", types, a, b, c);
      long[] find = runner.run("bfind.s32 %d, %a0;", "b32", types, a, b, c);
      long[] lop3 = runner.run("lop3.b32 %d, %a0, %a1, %a2, 0xb2;", "b32", types, a, b, c);
      long[] left = runner.run("shf.l.wrap.b32 %d, %a0, %a1, %a2;", "b32", types, a, b, c);
      long[] right = runner.run("shf.r.clamp.b32 %d, %a0, %a1, %a2;", "b32", types, a, b, c);
      long[] prmt = runner.run("prmt.b32 %d, %a0, %a1, %a2;", "b32", types, a, b, c);
      long[] dp4a = runner.run("dp4a.s32.u32 %d, %a0, %a1, %a2;", "b32", types, a, b, c);
      long[] sad = runner.run("sad.u32 %d, %a0, %a1, %a2;", "b32", types, a, b, c);
      for (int i = 0; i < COUNT; i++) {
        int x = (int) a[i];
        int y = (int) b[i];
        int z = (int) c[i];
        assertThat(popc[i]).isEqualTo(Integer.bitCount(x));
        assertThat(clz[i]).isEqualTo(Integer.numberOfLeadingZeros(x));
        assertThat((int) brev[i]).isEqualTo(Integer.reverse(x));
        assertThat((int) find[i]).isEqualTo(31 - Integer.numberOfLeadingZeros(x < 0 ? ~x : x));
        // 0xb2 is this function of 0xf0, 0xcc and 0xaa.
        assertThat((int) lop3[i]).isEqualTo(x & ~y | z & (x | ~y));
        long both = b[i] << 32 | a[i] & 0xffff_ffffL;
        assertThat((int) left[i]).isEqualTo((int) (both << (z & 31) >>> 32));
        int clamped = (int) Math.min(z & 0xffff_ffffL, 32);
        assertThat((int) right[i]).isEqualTo((int) (both >>> clamped));
        int permuted = 0;
        int sum = z;
        for (int octet = 0; octet < 4; octet++) {
          int choice = z >>> 4 * octet & 15;
          int value = (int) (both >>> 8 * (choice & 7)) & 0xff;
          if (choice > 7) {
            value = value > 127 ? 255 : 0;
          }
          permuted |= value << 8 * octet;
          sum += (byte) (x >> 8 * octet) * (y >> 8 * octet & 0xff);
        }
        assertThat((int) prmt[i]).isEqualTo(permuted);
        assertThat((int) dp4a[i]).isEqualTo(sum);
        long difference = Math.abs((a[i] & 0xffff_ffffL) - (b[i] & 0xffff_ffffL));
        assertThat((int) sad[i]).isEqualTo((int) (z + difference));
      }
    }
  }
}
