package dev.kancil.text.template;

import java.util.List;
import java.util.Map;

/** Python's two ways to format: {@code '%s' % x} and {@code '{}'.format(x)}, their common forms. */
final class Formatting {
  private Formatting() {}

  /** The operator {@code %}: flags {@code - 0 + space}, width, precision; {@code s r d i f x}. */
  static String percent(
      Evaluation evaluation, String format, List<Object> arguments, Object operand) {
    StringBuilder text = new StringBuilder();
    int next = 0;
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i++);
      if (c != '%') {
        evaluation.reserve(1);
        text.append(c);
        continue;
      }
      Object argument = null;
      if (i < format.length() && format.charAt(i) == '(') {
        int close = format.indexOf(')', i);
        argument = named(evaluation, format, i + 1, close, operand);
        i = close + 1;
      }
      int end = i;
      while (end < format.length() && "-+ 0123456789.".indexOf(format.charAt(end)) >= 0) {
        end++;
      }
      if (end == format.length()) {
        throw new EvaluationError("incomplete format");
      }
      char type = format.charAt(end);
      if (type == '%') {
        evaluation.reserve(1);
        text.append('%');
      } else {
        if (argument == null && next == arguments.size()) {
          throw new EvaluationError("not enough arguments for format string");
        }
        Object value = argument == null ? arguments.get(next++) : argument;
        FormatSpec spec = FormatSpec.percent(format.substring(i, end), type);
        text.append(spec.apply(evaluation, Values.plain(value)));
      }
      i = end + 1;
    }
    if (next < arguments.size() && !(operand instanceof Map)) {
      throw new EvaluationError("not all arguments converted during string formatting");
    }
    return text.toString();
  }

  private static Object named(
      Evaluation evaluation, String format, int start, int close, Object operand) {
    if (close < 0 || !(operand instanceof Map<?, ?> map)) {
      throw new EvaluationError("format requires a mapping");
    }
    evaluation.scan(close - start);
    String name = format.substring(start, close);
    Object value = map.get(name);
    if (value == null) {
      throw new EvaluationError("format has no key " + Values.shortened(name));
    }
    return value;
  }

  /**
   * The method {@code format}: {@code {}}, {@code {0}}, {@code {name}}, each with ! and : parts.
   */
  static String braces(Evaluation evaluation, String format, Arguments arguments) {
    StringBuilder text = new StringBuilder();
    int automatic = 0;
    int i = 0;
    while (i < format.length()) {
      char c = format.charAt(i);
      if (c != '{' && c != '}') {
        evaluation.reserve(1);
        text.append(c);
        i++;
      } else if (i + 1 < format.length() && format.charAt(i + 1) == c) {
        evaluation.reserve(1);
        text.append(c);
        i += 2;
      } else {
        int close = format.indexOf('}', i);
        evaluation.scan((close < 0 ? format.length() : close) - i);
        if (c == '}' || close < 0) {
          throw new EvaluationError("Single '" + c + "' encountered in format string");
        }
        String field = format.substring(i + 1, close);
        // Only fields without a name count; those with a place do not.
        boolean unnamed = field.isEmpty() || field.charAt(0) == ':' || field.charAt(0) == '!';
        text.append(field(evaluation, field, unnamed ? automatic++ : -1, arguments));
        i = close + 1;
      }
    }
    return text.toString();
  }

  private static String field(
      Evaluation evaluation, String field, int automatic, Arguments arguments) {
    int colon = field.indexOf(':');
    String name = colon < 0 ? field : field.substring(0, colon);
    boolean quoted = name.endsWith("!r");
    if (quoted || name.endsWith("!s")) {
      name = name.substring(0, name.length() - 2);
    }
    Long place = automatic >= 0 ? Long.valueOf(automatic) : PythonText.digits(name);
    List<Object> positional = arguments.positional();
    Object value =
        place == null
            ? arguments.named().get(name)
            : place < positional.size() ? positional.get(place.intValue()) : null;
    if (value == null) {
      throw new EvaluationError("format() has no argument for '{" + Values.shortened(field) + "}'");
    }
    FormatSpec spec = FormatSpec.braces(colon < 0 ? "" : field.substring(colon + 1), quoted);
    return spec.apply(evaluation, Values.plain(value));
  }

  static String repr(Evaluation evaluation, Object value) {
    StringBuilder text = new StringBuilder();
    Repr.append(evaluation, text, value);
    return text.toString();
  }

  /** The numbers of a width or precision, cut at what no limit allows. */
  static int number(String digits) {
    if (digits.isEmpty()) {
      return -1;
    }
    Long number = PythonText.digits(digits);
    return number == null ? Integer.MAX_VALUE : (int) Math.min(number, Integer.MAX_VALUE);
  }
}
