package dev.kancil.text.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What all values have in common: truth, type names, iteration, length. */
final class Values {
  /** What an element of a list and an entry of a dict count, in characters. */
  static final int ELEMENT = 8;

  /** What a string, list or dict counts beside what it holds. */
  static final int OBJECT = 32;

  private static final int MAX_INPUT_DEPTH = 200;

  private Values() {}

  /** Variables from outside as this package's values: copies, so that nothing changes them. */
  static Map<Object, Object> adopt(Evaluation evaluation, Map<?, ?> variables) {
    return adoptMap(evaluation, variables, 0);
  }

  private static Map<Object, Object> adoptMap(Evaluation evaluation, Map<?, ?> map, int depth) {
    if (depth > MAX_INPUT_DEPTH) {
      throw new EvaluationError("the variables nest deeper than " + MAX_INPUT_DEPTH);
    }
    Map<Object, Object> adopted = new LinkedHashMap<>();
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      evaluation.reserve(ELEMENT + OBJECT);
      if (!(entry.getKey() instanceof String name)) {
        throw new EvaluationError("a variable has a key that is not a string");
      }
      adopted.put(name, adopt(evaluation, entry.getValue(), depth + 1));
    }
    return adopted;
  }

  private static Object adopt(Evaluation evaluation, @Nullable Object value, int depth) {
    evaluation.step();
    if (value == null) {
      return None.NONE;
    }
    if (value instanceof String
        || value instanceof Boolean
        || value instanceof Long
        || value instanceof Double) {
      return value;
    }
    if (value instanceof Number number) {
      return adoptNumber(number);
    }
    if (value instanceof Map<?, ?> map) {
      return adoptMap(evaluation, map, depth);
    }
    if (value instanceof Iterable<?> elements) {
      if (depth > MAX_INPUT_DEPTH) {
        throw new EvaluationError("the variables nest deeper than " + MAX_INPUT_DEPTH);
      }
      List<Object> adopted = new ArrayList<>();
      for (Object element : elements) {
        evaluation.reserve(ELEMENT);
        adopted.add(adopt(evaluation, element, depth + 1));
      }
      return adopted;
    }
    throw new EvaluationError(
        "a variable is a "
            + value.getClass().getName()
            + "; it must be a map, list, string, number, boolean or null");
  }

  private static Object adoptNumber(Number number) {
    if (number instanceof Integer || number instanceof Short || number instanceof Byte) {
      return number.longValue();
    }
    if (number instanceof BigInteger big) {
      return big.bitLength() < Long.SIZE ? (Object) big.longValue() : big;
    }
    if (number instanceof Float || number instanceof BigDecimal) {
      return number.doubleValue();
    }
    throw new EvaluationError("a variable is a " + number.getClass().getName());
  }

  static Object plain(Object value) {
    return value instanceof Markup markup ? markup.text() : value;
  }

  /** The maps of this package have values as keys; the type is lost in patterns only. */
  @SuppressWarnings("unchecked")
  static Map<Object, Object> dict(Map<?, ?> map) {
    return (Map<Object, Object>) map;
  }

  @SuppressWarnings("unchecked")
  static List<Object> list(List<?> list) {
    return (List<Object>) list;
  }

  /** A value as the key of a dict. */
  static Object key(Object value) {
    Object key = plain(value);
    if (key instanceof String
        || key instanceof Long
        || key instanceof Boolean
        || key instanceof BigInteger
        || key == None.NONE) {
      return key;
    }
    if (key instanceof Double number) {
      return number == Math.rint(number) && Math.abs(number) < 1L << 53
          ? (Object) number.longValue()
          : number;
    }
    throw new EvaluationError("unhashable type: '" + typeName(key) + "'");
  }

  static boolean isTrue(Object value) {
    if (value instanceof Boolean truth) {
      return truth;
    }
    if (value instanceof String text) {
      return !text.isEmpty();
    }
    if (value == None.NONE || value instanceof Undefined) {
      return false;
    }
    if (value instanceof Long number) {
      return number != 0;
    }
    if (value instanceof Double number) {
      return number != 0;
    }
    if (value instanceof Markup markup) {
      return !markup.text().isEmpty();
    }
    List<Object> elements = elements(value);
    return elements != null ? !elements.isEmpty() : !(value instanceof Map<?, ?> m && m.isEmpty());
  }

  /** Python's name of a value's type. */
  static String typeName(Object value) {
    if (value instanceof String) {
      return "str";
    }
    if (value instanceof Map) {
      return "dict";
    }
    if (value instanceof List) {
      return "list";
    }
    if (value == None.NONE) {
      return "NoneType";
    }
    if (value instanceof Boolean) {
      return "bool";
    }
    if (value instanceof Long || value instanceof BigInteger) {
      return "int";
    }
    if (value instanceof Double) {
      return "float";
    }
    if (value instanceof Tuple) {
      return "tuple";
    }
    if (value instanceof DictView view) {
      return view.kind();
    }
    if (value instanceof Callable callable) {
      return callable.typeName();
    }
    return value instanceof Generator ? "generator" : value.getClass().getSimpleName();
  }

  /** The elements of a list, tuple or dict view; null for anything else. */
  static @Nullable List<Object> elements(Object value) {
    if (value instanceof List<?> list) {
      return list(list);
    }
    if (value instanceof Tuple tuple) {
      return tuple.elements();
    }
    return value instanceof DictView view ? view.elements() : null;
  }

  /** What a loop over the value sees; fails where Python would. */
  static List<Object> iterate(Evaluation evaluation, Object value) {
    List<Object> elements = elements(value);
    if (elements != null) {
      return elements;
    }
    if (value instanceof Map<?, ?> map) {
      evaluation.reserve((long) ELEMENT * map.size());
      return new ArrayList<>(map.keySet());
    }
    if (plain(value) instanceof String text) {
      return PythonText.codePoints(evaluation, text);
    }
    if (value instanceof Generator generator) {
      return generator.drain();
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    throw new EvaluationError("'" + typeName(value) + "' object is not iterable");
  }

  static long length(Evaluation evaluation, Object value) {
    if (value instanceof String text) {
      evaluation.scan(text.length());
      return text.codePointCount(0, text.length());
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    List<Object> elements = elements(value);
    if (elements != null) {
      return elements.size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    throw new EvaluationError("object of type '" + typeName(value) + "' has no len()");
  }

  /** A new list of values that some function keeps or makes. */
  static List<Object> copy(Evaluation evaluation, List<Object> elements) {
    evaluation.reserve((long) ELEMENT * elements.size());
    return new ArrayList<>(elements);
  }

  /** A part of the template or of the variables, short enough and of one line for a message. */
  static String shortened(String text) {
    StringBuilder line = new StringBuilder();
    int end = Math.min(text.length(), 500);
    for (int i = 0; i < end; i++) {
      line.append(Character.isISOControl(text.charAt(i)) ? ' ' : text.charAt(i));
    }
    return end < text.length() ? line.append('…').toString() : line.toString();
  }
}
