package dev.kancil.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/** Equality, order and membership, as Python has them. */
final class Comparing {
  private Comparing() {}

  // Identity is Python's equality of namespaces and functions, and a short cut for all else.
  @SuppressWarnings("ReferenceEquality")
  static boolean equal(Evaluation evaluation, Object left, Object right) {
    evaluation.step();
    if (left == right) {
      return !(left instanceof Double number && number.isNaN());
    }
    if (left instanceof String first) {
      if (!(right instanceof String second) || first.length() != second.length()) {
        return false;
      }
      evaluation.scan(first.length());
      return first.equals(second);
    }
    if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
      return Arithmetic.isInteger(left) && Arithmetic.isInteger(right)
          ? Arithmetic.index(left, "") == Arithmetic.index(right, "")
          : !isNan(left) && !isNan(right) && compareNumbers(left, right) == 0;
    }
    if (left instanceof Undefined) {
      return right instanceof Undefined;
    }
    if (left instanceof List<?> first && right instanceof List<?> second) {
      return elementsEqual(evaluation, Values.list(first), Values.list(second));
    }
    if (left instanceof Tuple first && right instanceof Tuple second) {
      return elementsEqual(evaluation, first.elements(), second.elements());
    }
    if (left instanceof Map<?, ?> first && right instanceof Map<?, ?> second) {
      return dictsEqual(evaluation, first, second);
    }
    return false;
  }

  private static boolean elementsEqual(
      Evaluation evaluation, List<Object> first, List<Object> second) {
    if (first.size() != second.size()) {
      return false;
    }
    evaluation.enterLevel();
    boolean equal = true;
    for (int i = 0; i < first.size() && equal; i++) {
      equal = equal(evaluation, first.get(i), second.get(i));
    }
    evaluation.leaveLevel();
    return equal;
  }

  private static boolean dictsEqual(Evaluation evaluation, Map<?, ?> first, Map<?, ?> second) {
    if (first.size() != second.size()) {
      return false;
    }
    evaluation.enterLevel();
    boolean equal = true;
    for (Map.Entry<?, ?> entry : first.entrySet()) {
      Object other = second.get(entry.getKey());
      equal = other != null && equal(evaluation, entry.getValue(), other);
      if (!equal) {
        break;
      }
    }
    evaluation.leaveLevel();
    return equal;
  }

  private static boolean isNan(Object value) {
    return value instanceof Double number && number.isNaN();
  }

  /** Compares exactly where one is no float: a sort needs an order without contradictions. */
  private static int compareNumbers(Object left, Object right) {
    double first = Arithmetic.real(left);
    double second = Arithmetic.real(right);
    if (left instanceof Double && right instanceof Double
        || !Double.isFinite(first)
        || !Double.isFinite(second)) {
      return Double.compare(first + 0.0, second + 0.0);
    }
    return exact(left).compareTo(exact(right));
  }

  private static BigDecimal exact(Object number) {
    if (number instanceof BigInteger big) {
      return new BigDecimal(big);
    }
    return number instanceof Double real
        ? new BigDecimal(real)
        : new BigDecimal(Arithmetic.index(number, ""));
  }

  static boolean ordered(Evaluation evaluation, String operator, Object left, Object right) {
    if (isNan(left) || isNan(right)) {
      return false;
    }
    int order = compare(evaluation, operator, left, right);
    return switch (operator) {
      case "<" -> order < 0;
      case "<=" -> order <= 0;
      case ">" -> order > 0;
      default -> order >= 0;
    };
  }

  /** The order of two values; fails where Python has none, naming the operator. */
  static int compare(Evaluation evaluation, String operator, Object left, Object right) {
    evaluation.step();
    if (left instanceof String first && right instanceof String second) {
      evaluation.scan(Math.min(first.length(), second.length()));
      return PythonText.compare(first, second);
    }
    if (Arithmetic.isNumber(left) && Arithmetic.isNumber(right)) {
      return Arithmetic.isInteger(left) && Arithmetic.isInteger(right)
          ? Long.compare(Arithmetic.index(left, ""), Arithmetic.index(right, ""))
          : compareNumbers(left, right);
    }
    if (left instanceof List<?> first && right instanceof List<?> second) {
      return compareElements(evaluation, operator, Values.list(first), Values.list(second));
    }
    if (left instanceof Tuple first && right instanceof Tuple second) {
      return compareElements(evaluation, operator, first.elements(), second.elements());
    }
    if (left instanceof Undefined undefined) {
      throw undefined.fail();
    }
    if (right instanceof Undefined undefined) {
      throw undefined.fail();
    }
    throw new EvaluationError(
        "'"
            + operator
            + "' not supported between instances of '"
            + Values.typeName(left)
            + "' and '"
            + Values.typeName(right)
            + "'");
  }

  private static int compareElements(
      Evaluation evaluation, String operator, List<Object> first, List<Object> second) {
    evaluation.enterLevel();
    int order = 0;
    for (int i = 0; i < first.size() && i < second.size() && order == 0; i++) {
      if (!equal(evaluation, first.get(i), second.get(i))) {
        order = compare(evaluation, operator, first.get(i), second.get(i));
      }
    }
    evaluation.leaveLevel();
    return order != 0 ? order : Integer.compare(first.size(), second.size());
  }

  static boolean contains(Evaluation evaluation, Object container, Object element) {
    if (container instanceof String text) {
      if (element instanceof String part) {
        return PythonText.indexOf(evaluation, text, part, 0) >= 0;
      }
      throw new EvaluationError(
          "'in <string>' requires string as left operand, not " + Values.typeName(element));
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(Values.key(element));
    }
    if (Values.elements(container) == null
        && !(container instanceof Generator)
        && !(container instanceof Undefined)) {
      throw new EvaluationError(
          "argument of type '" + Values.typeName(container) + "' is not iterable");
    }
    for (Object candidate : Values.iterate(evaluation, container)) {
      if (equal(evaluation, Values.plain(candidate), element)) {
        return true;
      }
    }
    return false;
  }

  /** Sorts by keys with the same places as the elements; stable, also backwards. */
  static List<Object> sorted(
      Evaluation evaluation, List<Object> elements, List<Object> keys, boolean reverse) {
    evaluation.reserve(2L * Values.ELEMENT * elements.size());
    Integer[] order = new Integer[elements.size()];
    for (int i = 0; i < order.length; i++) {
      order[i] = i;
    }
    Arrays.sort(order, new ByKey(evaluation, keys, reverse));
    List<Object> sorted = new ArrayList<>(order.length);
    for (Integer place : order) {
      sorted.add(elements.get(place));
    }
    return sorted;
  }

  /** The place of the smallest key, or the greatest; the first of several; -1 of none. */
  static int extreme(Evaluation evaluation, List<Object> keys, boolean greatest) {
    int best = keys.isEmpty() ? -1 : 0;
    for (int i = 1; i < keys.size(); i++) {
      int order = compare(evaluation, greatest ? ">" : "<", keys.get(i), keys.get(best));
      if (greatest ? order > 0 : order < 0) {
        best = i;
      }
    }
    return best;
  }

  private record ByKey(Evaluation evaluation, List<Object> keys, boolean reverse)
      implements Comparator<Integer> {
    @Override
    public int compare(Integer first, Integer second) {
      int order = Comparing.compare(evaluation, "<", keys.get(first), keys.get(second));
      return reverse ? -order : order;
    }
  }
}
