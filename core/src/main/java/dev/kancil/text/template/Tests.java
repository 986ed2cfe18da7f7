package dev.kancil.text.template;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;

/** What can follow {@code is}. */
final class Tests {
  private Tests() {}

  static boolean test(Evaluation evaluation, String name, Object value, Arguments arguments) {
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == None.NONE;
      case "string" -> value instanceof String;
      case "mapping" -> value instanceof Map;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "number" -> Arithmetic.isNumber(value);
      case "integer" -> value instanceof Long || value instanceof BigInteger;
      case "float" -> value instanceof Double;
      case "callable" -> value instanceof Callable;
      // Python's undefined value can be walked and measured: it is empty.
      case "iterable" ->
          isSequence(value)
              || value instanceof DictView
              || value instanceof Generator
              || value instanceof LoopState;
      case "sequence" -> isSequence(value);
      case "in" -> Comparing.contains(evaluation, operand(name, arguments), value);
      case "eq", "equalto", "==" -> Comparing.equal(evaluation, value, operand(name, arguments));
      case "ne", "!=" -> !Comparing.equal(evaluation, value, operand(name, arguments));
      case "lt", "lessthan", "<" ->
          Comparing.ordered(evaluation, "<", value, operand(name, arguments));
      case "le", "<=" -> Comparing.ordered(evaluation, "<=", value, operand(name, arguments));
      case "gt", "greaterthan", ">" ->
          Comparing.ordered(evaluation, ">", value, operand(name, arguments));
      case "ge", ">=" -> Comparing.ordered(evaluation, ">=", value, operand(name, arguments));
      case "sameas" -> isSame(value, operand(name, arguments));
      case "odd" -> Math.floorMod(Arithmetic.index(value, "value"), 2) == 1;
      case "even" -> Math.floorMod(Arithmetic.index(value, "value"), 2) == 0;
      case "divisibleby" -> {
        long divisor = Arithmetic.index(operand(name, arguments), "divisor");
        if (divisor == 0) {
          throw new EvaluationError("integer modulo by zero");
        }
        yield Arithmetic.index(value, "value") % divisor == 0;
      }
      case "lower", "upper" -> {
        String text = PythonText.string(evaluation, value);
        evaluation.scan(text.length());
        yield StringMethods.isOfCase(text, name.equals("lower") ? "islower" : "isupper");
      }
      default -> throw new EvaluationError("No test named '" + Values.shortened(name) + "' found.");
    };
  }

  private static Object operand(String name, Arguments arguments) {
    return arguments.require(name, 0, "other");
  }

  private static boolean isSequence(Object value) {
    return value instanceof String
        || value instanceof List
        || value instanceof Tuple
        || value instanceof Map
        || value instanceof Undefined;
  }

  /** Python has one object for each of None, True, False and, in practice, a small integer. */
  @SuppressWarnings("ReferenceEquality")
  private static boolean isSame(Object value, Object other) {
    return value == other
        || (value instanceof Boolean || value instanceof Long) && value.equals(other);
  }
}
