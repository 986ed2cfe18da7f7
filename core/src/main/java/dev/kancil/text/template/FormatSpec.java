package dev.kancil.text.template;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * How one value is formatted.
 *
 * @param fill what pads; {@code align} says where the value goes: {@code < > ^ =}
 * @param sign {@code +}, space, or {@code -} for none before positive numbers
 * @param width the least length, or -1
 * @param precision digits after the point or characters of a string, or -1
 * @param type {@code s r d i f F x X}, or {@code -} for what suits the value
 */
record FormatSpec(
    char fill, char align, char sign, int width, int precision, boolean commas, char type) {
  /** More digits than a double has; beyond, padding zeros would be all there is. */
  private static final int MAX_PRECISION = 1100;

  /** {@code flags, width, precision} of a conversion after a percent sign. */
  static FormatSpec percent(String spec, char type) {
    int at = 0;
    boolean left = false;
    boolean zeros = false;
    char sign = '-';
    for (; at < spec.length() && "-+ 0".indexOf(spec.charAt(at)) >= 0; at++) {
      char flag = spec.charAt(at);
      left |= flag == '-';
      zeros |= flag == '0';
      sign = flag == '+' || flag == ' ' ? flag : sign;
    }
    boolean number = type != 's' && type != 'r';
    char align = left ? '<' : zeros && number ? '=' : '>';
    return parsed(spec, at, align == '=' ? '0' : ' ', align, sign, type);
  }

  /**
   * The specification of a replacement field: {@code [[fill]align][sign][0][width][,][.n][type]}.
   */
  static FormatSpec braces(String spec, boolean quoted) {
    int at = 0;
    char fill = ' ';
    char align = '-';
    if (spec.length() > 1 && "<>^=".indexOf(spec.charAt(1)) >= 0) {
      fill = spec.charAt(0);
      align = spec.charAt(1);
      at = 2;
    } else if (!spec.isEmpty() && "<>^=".indexOf(spec.charAt(0)) >= 0) {
      align = spec.charAt(0);
      at = 1;
    }
    char sign = '-';
    if (at < spec.length() && "+- ".indexOf(spec.charAt(at)) >= 0) {
      sign = spec.charAt(at++);
    }
    if (align == '-' && at < spec.length() && spec.charAt(at) == '0') {
      fill = '0';
      align = '=';
      at++;
    }
    char last = spec.isEmpty() ? '-' : spec.charAt(spec.length() - 1);
    boolean typed = at < spec.length() && Character.isLetter(last);
    char type = quoted ? 'r' : typed ? last : '-';
    return parsed(typed ? spec.substring(0, spec.length() - 1) : spec, at, fill, align, sign, type);
  }

  private static FormatSpec parsed(
      String spec, int start, char fill, char align, char sign, char type) {
    int dot = spec.indexOf('.', start);
    String width = spec.substring(start, dot < 0 ? spec.length() : dot);
    boolean commas = width.endsWith(",");
    width = commas ? width.substring(0, width.length() - 1) : width;
    String precision = dot < 0 ? "" : spec.substring(dot + 1);
    if (!isDigits(width) || !isDigits(precision) || "srdifFxX-".indexOf(type) < 0) {
      throw new EvaluationError("unsupported format '" + Values.shortened(spec) + type + "'");
    }
    return new FormatSpec(
        fill,
        align,
        sign,
        Formatting.number(width),
        dot >= 0 && precision.isEmpty() ? 0 : Formatting.number(precision),
        commas,
        type);
  }

  private static boolean isDigits(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }

  String apply(Evaluation evaluation, Object value) {
    boolean number =
        type != 's'
            && type != 'r'
            && (type != '-' || value instanceof Long || value instanceof Double);
    String text = number ? digits(value) : string(evaluation, value);
    char place = align == '-' ? number ? '>' : '<' : align;
    int missing = (int) Math.max(0, width - Values.length(evaluation, text));
    evaluation.reserve((long) text.length() + missing);
    int before =
        switch (place) {
          case '<' -> 0;
          case '^' -> missing / 2;
          default -> missing;
        };
    int head = place == '=' && !text.isEmpty() && "+- ".indexOf(text.charAt(0)) >= 0 ? 1 : 0;
    return new StringBuilder(text.substring(0, head))
        .repeat(fill, before)
        .append(text, head, text.length())
        .repeat(fill, missing - before)
        .toString();
  }

  private String string(Evaluation evaluation, Object value) {
    String text =
        type == 'r' ? Formatting.repr(evaluation, value) : PythonText.string(evaluation, value);
    return precision < 0
        ? text
        : (String) Slices.slice(evaluation, text, null, (long) precision, null);
  }

  private String digits(Object value) {
    if (!Arithmetic.isNumber(value)) {
      throw new EvaluationError("a number is required, not " + Values.typeName(value));
    }
    boolean negative = Arithmetic.real(value) < 0;
    String digits =
        switch (type) {
          case 'x' -> magnitude(value, 16);
          case 'X' -> magnitude(value, 16).toUpperCase(java.util.Locale.ROOT);
          case 'd', 'i' -> magnitude(value, 10);
          case 'f', 'F' -> fixed(value);
          default -> value instanceof Double && precision < 0 ? plain(value) : other(value);
        };
    StringBuilder text = new StringBuilder(negative ? "-" : sign == '-' ? "" : sign + "");
    return text.append(commas ? grouped(digits) : digits).toString();
  }

  private String other(Object value) {
    if (precision >= 0) {
      throw new EvaluationError("a precision needs the format type f");
    }
    return magnitude(value, 10);
  }

  private static String plain(Object value) {
    return PythonText.string(Math.abs(Arithmetic.real(value)));
  }

  private static String magnitude(Object value, int radix) {
    long number =
        value instanceof Double real ? (long) (double) real : Arithmetic.index(value, "value");
    String digits = Long.toString(number, radix);
    return number < 0 ? digits.substring(1) : digits;
  }

  private String fixed(Object value) {
    double number = Math.abs(Arithmetic.real(value));
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      return PythonText.string(number);
    }
    int places = precision < 0 ? 6 : precision;
    if (places > MAX_PRECISION) {
      throw new EvaluationError("precision above " + MAX_PRECISION);
    }
    return new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
  }

  private static String grouped(String digits) {
    int dot = digits.indexOf('.');
    StringBuilder text = new StringBuilder(digits);
    for (int i = (dot < 0 ? digits.length() : dot) - 3; i > 0; i -= 3) {
      text.insert(i, ',');
    }
    return text.toString();
  }
}
