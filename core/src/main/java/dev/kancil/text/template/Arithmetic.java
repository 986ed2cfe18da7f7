package dev.kancil.text.template;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

/** Python's operators on numbers, strings and lists. Integers are of 64 bits; more is an error. */
final class Arithmetic {
  private Arithmetic() {}

  /** An integer where Python takes nothing else; booleans are integers. */
  static long index(Object value, String what) {
    if (value instanceof Long number) {
      return number;
    }
    if (value instanceof Boolean truth) {
      return truth ? 1 : 0;
    }
    if (value instanceof Undefined undefined) {
      throw undefined.fail();
    }
    throw new EvaluationError(what + " must be an integer, not '" + Values.typeName(value) + "'");
  }

  static boolean isNumber(Object value) {
    return value instanceof Long
        || value instanceof Double
        || value instanceof Boolean
        || value instanceof BigInteger;
  }

  /** The value of a number as a float. */
  static double real(Object number) {
    return number instanceof Boolean truth ? truth ? 1 : 0 : ((Number) number).doubleValue();
  }

  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof Boolean;
  }

  static Object sign(boolean negative, Object value) {
    if (isInteger(value)) {
      long number = index(value, "operand");
      if (negative && number == Long.MIN_VALUE) {
        throw overflow();
      }
      return negative ? -number : number;
    }
    if (value instanceof Double number) {
      return negative ? -number : number;
    }
    if (value instanceof Undefined undefined) {
      throw undefined.fail();
    }
    throw new EvaluationError(
        "bad operand type for unary "
            + (negative ? '-' : '+')
            + ": '"
            + Values.typeName(value)
            + "'");
  }

  static Object binary(Evaluation evaluation, String operator, Object left, Object right) {
    if (left instanceof Undefined undefined) {
      throw undefined.fail();
    }
    if (right instanceof Undefined undefined) {
      throw undefined.fail();
    }
    if (isNumber(left) && isNumber(right)) {
      return isInteger(left) && isInteger(right)
          ? integers(operator, index(left, "operand"), index(right, "operand"))
          : floats(operator, left, right);
    }
    if (operator.equals("+")) {
      return add(evaluation, left, right);
    }
    if (operator.equals("*")) {
      if (isInteger(right)) {
        return repeat(evaluation, left, index(right, "operand"));
      }
      if (isInteger(left)) {
        return repeat(evaluation, right, index(left, "operand"));
      }
    }
    if (operator.equals("%") && Values.plain(left) instanceof String format) {
      List<Object> arguments = right instanceof Tuple tuple ? tuple.elements() : List.of(right);
      return Formatting.percent(evaluation, format, arguments, right);
    }
    throw unsupported(operator, left, right);
  }

  private static Object integers(String operator, long left, long right) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(left, right);
        case "-" -> Math.subtractExact(left, right);
        case "*" -> Math.multiplyExact(left, right);
        case "/" -> (double) left / nonZero(right, "division by zero");
        case "//" -> Math.floorDivExact(left, nonZero(right, "integer division or modulo by zero"));
        case "%" -> Math.floorMod(left, nonZero(right, "integer modulo by zero"));
        default ->
            right < 0
                ? (Object) Math.pow((double) left, (double) right)
                : Math.powExact(left, exponent(right));
      };
    } catch (ArithmeticException e) {
      throw overflow();
    }
  }

  /** Above 64 only powers of 0, 1 and -1 fit, and of those only the parity matters. */
  private static int exponent(long exponent) {
    return exponent > 64 ? 64 + (int) (exponent & 1) : (int) exponent;
  }

  private static long nonZero(long divisor, String message) {
    if (divisor == 0) {
      throw new EvaluationError(message);
    }
    return divisor;
  }

  private static Object floats(String operator, Object leftNumber, Object rightNumber) {
    if (leftNumber instanceof BigInteger || rightNumber instanceof BigInteger) {
      throw overflow();
    }
    double left = real(leftNumber);
    double right = real(rightNumber);
    if (right == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new EvaluationError("float division by zero");
    }
    return switch (operator) {
      case "+" -> left + right;
      case "-" -> left - right;
      case "*" -> left * right;
      case "/" -> left / right;
      case "//" -> Math.floor(left / right);
      case "%" -> {
        double remainder = left % right;
        if (remainder == 0) {
          yield Math.copySign(0.0, right);
        }
        yield remainder < 0 != right < 0 ? remainder + right : remainder;
      }
      default -> Math.pow(left, right);
    };
  }

  private static Object add(Evaluation evaluation, Object left, Object right) {
    if (Values.plain(left) instanceof String first) {
      if (!(Values.plain(right) instanceof String second)) {
        throw new EvaluationError(
            "can only concatenate str (not \"" + Values.typeName(right) + "\") to str");
      }
      if (left instanceof Markup || right instanceof Markup) {
        return Markup.add(evaluation, left, right);
      }
      evaluation.reserve((long) first.length() + second.length());
      return first.concat(second);
    }
    if (left instanceof List<?> first) {
      if (right instanceof List<?> second) {
        return joined(evaluation, Values.list(first), Values.list(second));
      }
      throw new EvaluationError(
          "can only concatenate list (not \"" + Values.typeName(right) + "\") to list");
    }
    if (left instanceof Tuple first) {
      if (right instanceof Tuple second) {
        return new Tuple(joined(evaluation, first.elements(), second.elements()));
      }
      throw new EvaluationError(
          "can only concatenate tuple (not \"" + Values.typeName(right) + "\") to tuple");
    }
    throw unsupported("+", left, right);
  }

  private static List<Object> joined(
      Evaluation evaluation, List<Object> first, List<Object> second) {
    evaluation.reserve((long) Values.ELEMENT * second.size() + Values.OBJECT);
    List<Object> sum = Values.copy(evaluation, first);
    sum.addAll(second);
    return sum;
  }

  private static Object repeat(Evaluation evaluation, Object value, long count) {
    // Beyond any limit on characters more repetitions change nothing.
    long times = Math.clamp(count, 0, Integer.MAX_VALUE);
    if (Values.plain(value) instanceof String text) {
      evaluation.reserve(times * text.length());
      return text.isEmpty() ? text : text.repeat((int) times);
    }
    List<Object> elements = value instanceof DictView ? null : Values.elements(value);
    if (elements == null) {
      throw unsupported("*", value, count);
    }
    evaluation.reserve(times * elements.size() * Values.ELEMENT + Values.OBJECT);
    List<Object> repeated = new ArrayList<>();
    for (long i = 0; i < times && !elements.isEmpty(); i++) {
      repeated.addAll(elements);
    }
    return value instanceof Tuple ? new Tuple(repeated) : repeated;
  }

  private static EvaluationError unsupported(String operator, Object left, Object right) {
    return new EvaluationError(
        "unsupported operand type(s) for "
            + (operator.equals("**") ? "** or pow()" : operator)
            + ": '"
            + Values.typeName(left)
            + "' and '"
            + Values.typeName(right)
            + "'");
  }

  private static EvaluationError overflow() {
    return new EvaluationError("integers beyond 64 bits are not supported");
  }
}
