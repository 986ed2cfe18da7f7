package dev.kancil.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The filters by name: here those of single values, elsewhere those of texts and sequences. */
final class Filters {
  private Filters() {}

  static Object apply(Evaluation evaluation, String name, Object value, Arguments arguments) {
    Object result = ofValue(evaluation, name, value, arguments);
    if (result == null) {
      result = TextFilters.apply(evaluation, name, value, arguments);
    }
    if (result == null) {
      result = SequenceFilters.apply(evaluation, name, value, arguments);
    }
    if (result == null) {
      throw new EvaluationError("No filter named '" + Values.shortened(name) + "' found.");
    }
    return result;
  }

  private static @Nullable Object ofValue(
      Evaluation evaluation, String name, Object value, Arguments arguments) {
    return switch (name) {
      case "default", "d" -> {
        arguments.check(name, "default_value", "boolean");
        boolean absent =
            value instanceof Undefined
                || arguments.flag(1, "boolean", false) && !Values.isTrue(value);
        yield absent ? arguments.get(0, "default_value", "") : value;
      }
      case "tojson" -> JsonWriter.write(evaluation, value, arguments);
      case "length", "count" -> {
        arguments.check(name);
        yield Values.length(evaluation, value);
      }
      case "string" -> PythonText.string(evaluation, value);
      case "safe" -> new Markup(PythonText.string(evaluation, value));
      case "items" -> {
        if (value instanceof Undefined) {
          yield new Generator(List.of());
        }
        if (value instanceof Map<?, ?> map) {
          yield new Generator(Members.items(evaluation, map));
        }
        throw new EvaluationError("Can only get item pairs from a mapping.");
      }
      case "attr" -> {
        String attribute = arguments.check(name, "name").string(name, 0, "name");
        // Unlike the dot, this never looks for an element.
        Object found = Members.attribute(evaluation, value, attribute);
        yield value instanceof Map && !(found instanceof BoundMethod)
            ? Undefined.member(value, attribute)
            : found;
      }
      case "abs" -> {
        if (value instanceof Double number) {
          yield Math.abs(number);
        }
        yield Arithmetic.sign(Arithmetic.index(value, name) < 0, value);
      }
      case "int" -> integer(evaluation, value, arguments.check(name, "default", "base"));
      case "float" -> real(value, arguments.check(name, "default").get(0, "default", 0.0));
      case "round" -> round(value, arguments.check(name, "precision", "method"));
      default -> null;
    };
  }

  private static Object integer(Evaluation evaluation, Object value, Arguments arguments) {
    Object otherwise = arguments.get(0, "default", 0L);
    if (value instanceof Long || value instanceof BigInteger) {
      return value;
    }
    if (value instanceof Boolean truth) {
      return truth ? 1L : 0L;
    }
    if (value instanceof String text) {
      long base = arguments.integer("int", 1, "base", 10);
      Long whole = whole(evaluation, text, base);
      return whole != null ? whole : base == 10 ? truncated(parsed(text), otherwise) : otherwise;
    }
    return value instanceof Double number ? truncated(number, otherwise) : otherwise;
  }

  private static @Nullable Long whole(Evaluation evaluation, String text, long base) {
    if (base < 2 || base > 36) {
      throw new EvaluationError("int() base must be >= 2 and <= 36");
    }
    String digits = StringMethods.strip(evaluation, text, None.NONE, true, true).replace("_", "");
    try {
      return digits.length() > 70 ? null : (Long) Long.parseLong(digits, (int) base);
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static Object truncated(double number, Object otherwise) {
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      return otherwise;
    }
    if (Math.abs(number) >= 0x1p63) {
      throw new EvaluationError("integers beyond 64 bits are not supported");
    }
    return (long) number;
  }

  private static double parsed(String text) {
    // Java also reads hexadecimal floats and the suffixes d and f, which Python does not.
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean possible = c >= '0' && c <= '9' || "+-.eE".indexOf(c) >= 0 || PythonText.isSpace(c);
      if (!possible || text.length() > 400) {
        return Double.NaN;
      }
    }
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  private static Object real(Object value, Object otherwise) {
    if (Arithmetic.isNumber(value)) {
      return Arithmetic.real(value);
    }
    double parsed = value instanceof String text ? parsed(text) : Double.NaN;
    return Double.isNaN(parsed) ? otherwise : (Object) parsed;
  }

  private static Object round(Object value, Arguments arguments) {
    if (!Arithmetic.isNumber(value)) {
      throw new EvaluationError(
          "type " + Values.typeName(value) + " doesn't define __round__ method");
    }
    double number = Arithmetic.real(value);
    long precision = Math.clamp(arguments.integer("round", 0, "precision", 0), -308, 308);
    if (Double.isNaN(number) || Double.isInfinite(number)) {
      return number;
    }
    RoundingMode mode =
        switch (method(arguments)) {
          case "ceil" -> RoundingMode.CEILING;
          case "floor" -> RoundingMode.FLOOR;
          case "common" -> RoundingMode.HALF_EVEN;
          default -> throw new EvaluationError("method must be common, ceil or floor");
        };
    BigDecimal rounded = new BigDecimal(number).setScale((int) precision, mode);
    // Python rounds an integer to an integer, but raises and lowers it to a float.
    return Arithmetic.isInteger(value) && mode == RoundingMode.HALF_EVEN
        ? (Object) rounded.longValue()
        : rounded.doubleValue();
  }

  private static String method(Arguments arguments) {
    return arguments.get(1, "method", "common") instanceof String method ? method : "";
  }
}
