package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Text as Python sees it: its white space, its lines, its code points, {@code str} and {@code
 * repr}.
 */
final class PythonText {
  /** From this length on a search is by Knuth, Morris and Pratt, whose worst case is linear. */
  private static final int LONG_NEEDLE = 32;

  private PythonText() {}

  static boolean isSpace(int c) {
    return c >= 9 && c <= 13
        || c >= 28 && c <= 32
        || c == 0x85
        || c == 0xa0
        || c == 0x1680
        || c >= 0x2000 && c <= 0x200a
        || c == 0x2028
        || c == 0x2029
        || c == 0x202f
        || c == 0x205f
        || c == 0x3000;
  }

  static boolean endsLine(char c) {
    return c >= 10 && c <= 13 || c >= 28 && c <= 30 || c == 0x85 || c == 0x2028 || c == 0x2029;
  }

  static String normalizeNewlines(String text) {
    return text.indexOf('\r') < 0 ? text : text.replace("\r\n", "\n").replace('\r', '\n');
  }

  /** The lines of a text, without what ends them unless that is to be kept. */
  static List<String> lines(Evaluation evaluation, String text, boolean keepEnds) {
    evaluation.reserve(text.length());
    List<String> lines = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      if (endsLine(text.charAt(i))) {
        int end = i;
        if (text.charAt(i) == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n') {
          i++;
        }
        evaluation.reserve(Values.OBJECT);
        lines.add(text.substring(start, keepEnds ? i + 1 : end));
        start = i + 1;
      }
    }
    if (start < text.length()) {
      lines.add(text.substring(start));
    }
    return lines;
  }

  static List<Object> codePoints(Evaluation evaluation, String text) {
    evaluation.reserve((long) Values.OBJECT * text.length());
    List<Object> characters = new ArrayList<>(text.length());
    for (int i = 0, end; i < text.length(); i = end) {
      end = text.offsetByCodePoints(i, 1);
      characters.add(text.substring(i, end));
    }
    return characters;
  }

  /** By code points, which differs from Java's order where surrogates meet the last characters. */
  static int compare(String first, String second) {
    int length = Math.min(first.length(), second.length());
    for (int i = 0; i < length; i++) {
      char a = first.charAt(i);
      char b = second.charAt(i);
      if (a != b) {
        boolean firstIsSurrogate = Character.isSurrogate(a);
        return firstIsSurrogate == Character.isSurrogate(b)
            ? Character.compare(a, b)
            : firstIsSurrogate ? 1 : -1;
      }
    }
    return Integer.compare(first.length(), second.length());
  }

  /** Where a part first begins, at or after {@code from}; -1 where it doesn't. */
  static int indexOf(Evaluation evaluation, String text, String part, int from) {
    boolean isLong = part.length() >= LONG_NEEDLE && part.length() <= text.length() - from;
    int found =
        isLong
            ? search(evaluation, text, part, from, text.length(), false)
            : text.indexOf(part, from);
    scanned(evaluation, part, (found < 0 ? text.length() : found) - from);
    return found;
  }

  /** Where a part begins that ends last, at or before {@code end}; -1 where none does. */
  static int lastIndexOf(Evaluation evaluation, String text, String part, int end) {
    boolean isLong = part.length() >= LONG_NEEDLE && part.length() <= end;
    int found =
        isLong
            ? search(evaluation, text, part, 0, end, true)
            : text.lastIndexOf(part, end - part.length());
    scanned(evaluation, part, isLong ? end : end - Math.max(found, 0));
    return found;
  }

  private static void scanned(Evaluation evaluation, String part, int length) {
    // A short part is compared anew at each place.
    evaluation.scan((long) length * (1 + Math.min(part.length(), LONG_NEEDLE) / 8));
  }

  private static int search(
      Evaluation evaluation, String text, String part, int from, int end, boolean last) {
    evaluation.reserve(2L * part.length());
    int[] border = new int[part.length()];
    for (int i = 1, matched = 0; i < border.length; i++) {
      while (matched > 0 && part.charAt(i) != part.charAt(matched)) {
        matched = border[matched - 1];
      }
      matched += part.charAt(i) == part.charAt(matched) ? 1 : 0;
      border[i] = matched;
    }
    int found = -1;
    for (int i = from, matched = 0; i < end && (last || found < 0); i++) {
      while (matched > 0 && text.charAt(i) != part.charAt(matched)) {
        matched = border[matched - 1];
      }
      matched += text.charAt(i) == part.charAt(matched) ? 1 : 0;
      if (matched == border.length) {
        found = i + 1 - matched;
        matched = border[matched - 1];
      }
    }
    return found;
  }

  /** The number that a string of up to 18 digits is; null for any other string. */
  static @Nullable Long digits(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return null;
      }
    }
    return text.isEmpty() || text.length() > 18 ? null : Long.valueOf(text);
  }

  /** The value of a string literal, given what is written between the quotes. */
  static String unescape(String written) {
    if (written.indexOf('\\') < 0) {
      return written;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < written.length(); i++) {
      char c = written.charAt(i);
      if (c != '\\' || i + 1 == written.length()) {
        text.append(c);
        continue;
      }
      char escape = written.charAt(++i);
      switch (escape) {
        case '\n' -> {}
        case '\\', '\'', '"' -> text.append(escape);
        case 'n' -> text.append('\n');
        case 't' -> text.append('\t');
        case 'r' -> text.append('\r');
        case 'a' -> text.append('\u0007');
        case 'b' -> text.append('\b');
        case 'f' -> text.append('\f');
        case 'v' -> text.append('\u000b');
        case 'x', 'u', 'U' -> {
          int length = escape == 'x' ? 2 : escape == 'u' ? 4 : 8;
          text.appendCodePoint(hexadecimal(written, i + 1, length));
          i += length;
        }
        default -> {
          if (escape < '0' || escape > '7') {
            text.append('\\').append(escape);
          } else {
            int end = i;
            int value = 0;
            while (end < Math.min(i + 3, written.length())
                && written.charAt(end) >= '0'
                && written.charAt(end) <= '7') {
              value = 8 * value + written.charAt(end++) - '0';
            }
            text.append((char) value);
            i = end - 1;
          }
        }
      }
    }
    return text.toString();
  }

  private static int hexadecimal(String text, int start, int length) {
    int value = start + length > text.length() ? -1 : 0;
    for (int i = start; value >= 0 && i < start + length; i++) {
      int digit = text.charAt(i) < 128 ? Character.digit(text.charAt(i), 16) : -1;
      value = digit < 0 || value > 0x10ffff ? -1 : 16 * value + digit;
    }
    if (value < 0 || value > 0x10ffff) {
      throw new EvaluationError("a string has an escape that is no character");
    }
    return value;
  }

  /** Python's {@code str} of a value. */
  static String string(Evaluation evaluation, Object value) {
    if (value instanceof String text) {
      return text;
    }
    if (value instanceof Markup markup) {
      return markup.text();
    }
    if (value instanceof Undefined) {
      return "";
    }
    StringBuilder text = new StringBuilder();
    Repr.append(evaluation, text, value);
    return text.toString();
  }

  /** Java writes two digits at least; one is enough where it reads back as the same number. */
  private static String oneDigit(String digits, int exponent, double value) {
    int rounded = (Integer.parseInt(digits) + 5) / 10;
    boolean same = rounded < 10 && Double.parseDouble(rounded + "E" + exponent) == value;
    return same ? Integer.toString(rounded) : digits;
  }

  /** Python's {@code str} of a float: the shortest digits that read back as it. */
  static String string(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    String java = Double.toString(value);
    int mark = java.indexOf('E');
    if (mark < 0) {
      return java;
    }
    int exponent = Integer.parseInt(java.substring(mark + 1));
    int start = java.charAt(0) == '-' ? 1 : 0;
    String digits = java.substring(start, start + 1).concat(java.substring(start + 2, mark));
    if (digits.length() == 2) {
      digits = oneDigit(digits, exponent, Math.abs(value));
    }
    StringBuilder text = new StringBuilder(java.substring(0, start));
    if (exponent == -4) {
      return text.append("0.000").append(digits).toString();
    }
    if (exponent > 0 && exponent < 16) {
      int zeros = exponent + 1 - digits.length();
      return zeros >= 0
          ? text.append(digits).append("0".repeat(zeros)).append(".0").toString()
          : text.append(digits, 0, exponent + 1)
              .append('.')
              .append(digits.substring(exponent + 1))
              .toString();
    }
    text.append(digits.charAt(0));
    if (digits.length() > 1) {
      text.append('.').append(digits, 1, digits.length());
    }
    text.append('e').append(exponent < 0 ? '-' : '+');
    int size = Math.abs(exponent);
    return text.append(size < 10 ? "0" : "").append(size).toString();
  }
}
