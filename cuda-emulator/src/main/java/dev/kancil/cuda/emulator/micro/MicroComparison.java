package dev.kancil.cuda.emulator.micro;

import java.util.Locale;
import java.util.function.ToLongFunction;

/** Finds results that are further apart than their form allows. */
final class MicroComparison {
  private MicroComparison() {}

  /** How many results differ, and the first one; empty if none does. */
  static String describe(MicroForm form, long[][] operands, long[][] got, long[][] expected) {
    ToLongFunction<long[]> function = form.expected();
    int count = operands[0].length;
    int different = 0;
    String first = "";
    for (int i = 0; i < count; i++) {
      for (int result = 0; result < got.length; result++) {
        long wanted = expected[result][i];
        if (function != null && result == 0) {
          wanted = function.applyAsLong(at(operands, i));
          if (wanted != expected[0][i]) {
            first = first.isEmpty() ? line(form, operands, i, 0, expected[0][i], wanted) : first;
            different++;
            continue;
          }
        }
        if (!same(form, form.results().get(result), got[result][i], wanted)) {
          String here = line(form, operands, i, result, got[result][i], wanted);
          first = first.isEmpty() ? here : first;
          different++;
        }
      }
    }
    return different == 0 ? "" : different + " of " + count * got.length + ", first " + first;
  }

  private static long[] at(long[][] operands, int index) {
    long[] values = new long[operands.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = operands[i][index];
    }
    return values;
  }

  private static String line(
      MicroForm form, long[][] operands, int index, int result, long got, long wanted) {
    StringBuilder text = new StringBuilder();
    text.append('%').append('d').append(result).append(" of");
    for (int i = 0; i < operands.length; i++) {
      text.append(' ').append(shown(form.operands().get(i), operands[i][index]));
    }
    String type = form.results().get(result);
    return text.append(" is ") + shown(type, got) + ", not " + shown(type, wanted);
  }

  private static String shown(String type, long bits) {
    String hex = "0x" + Long.toHexString(bits);
    return switch (type) {
      case "f16", "bf16", "f32", "f64", "w32" ->
          String.format(Locale.ROOT, "%s (%s)", hex, number(type, bits));
      default -> hex;
    };
  }

  private static boolean same(MicroForm form, String type, long a, long b) {
    if (a == b) {
      return true;
    }
    return switch (type) {
      case "f16x2", "bf16x2" -> {
        String half = type.substring(0, type.length() - 2);
        yield same(form, half, a & 0xffff, b & 0xffff) && same(form, half, a >>> 16, b >>> 16);
      }
      case "f16", "bf16", "f32", "f64" -> {
        double x = number(type, a);
        double y = number(type, b);
        boolean zeros = x == 0 && y == 0 && form.tolerance().absolute() == 0;
        yield Double.isNaN(x) && Double.isNaN(y) || !zeros && form.tolerance().holds(x, y);
      }
      default -> false;
    };
  }

  private static double number(String type, long bits) {
    return switch (type) {
      case "f16" -> Float.float16ToFloat((short) bits);
      case "bf16" -> Float.intBitsToFloat((int) bits << 16);
      case "f64" -> Double.longBitsToDouble(bits);
      default -> Float.intBitsToFloat((int) bits);
    };
  }
}
