package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Python's {@code json.dumps}, spaces and all, as the filter {@code tojson}. */
@SuppressWarnings("IfChainToSwitch") // A pattern switch takes long to start.
final class JsonWriter {
  private final Evaluation evaluation;
  private final StringBuilder text = new StringBuilder();
  private final boolean ascii;
  private final @Nullable String indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean sortKeys;

  private JsonWriter(Evaluation evaluation, Arguments arguments) {
    this.evaluation = evaluation;
    this.ascii = arguments.flag(0, "ensure_ascii", false);
    Object indentation = arguments.get(1, "indent", None.NONE);
    if (indentation instanceof String string) {
      indent = string;
    } else if (indentation == None.NONE) {
      indent = null;
    } else {
      long width = Math.clamp(Arithmetic.index(indentation, "indent"), 0, Integer.MAX_VALUE);
      evaluation.reserve(width);
      indent = " ".repeat((int) width);
    }
    Object separators = arguments.get(2, "separators", None.NONE);
    if (separators == None.NONE) {
      itemSeparator = indent == null ? ", " : ",";
      keySeparator = ": ";
    } else {
      List<Object> both = Values.iterate(evaluation, separators);
      if (both.size() != 2
          || !(both.get(0) instanceof String item)
          || !(both.get(1) instanceof String key)) {
        throw new EvaluationError("tojson() argument 'separators' must be two strings");
      }
      itemSeparator = item;
      keySeparator = key;
    }
    this.sortKeys = arguments.flag(3, "sort_keys", false);
  }

  static String write(Evaluation evaluation, Object value, Arguments arguments) {
    JsonWriter writer =
        new JsonWriter(
            evaluation,
            arguments.check("tojson", "ensure_ascii", "indent", "separators", "sort_keys"));
    writer.value(value, 1);
    return writer.text.toString();
  }

  private void value(Object value, int depth) {
    evaluation.step();
    if (value instanceof String string) {
      string(string);
    } else if (value instanceof Map<?, ?> map) {
      object(Values.dict(map), depth);
    } else if (value instanceof List<?> list) {
      array(list, depth);
    } else if (value instanceof Tuple tuple) {
      array(tuple.elements(), depth);
    } else if (value instanceof Markup markup) {
      string(markup.text());
    } else {
      append(scalar(value));
    }
  }

  private static String scalar(Object value) {
    if (value == None.NONE) {
      return "null";
    }
    if (value instanceof Boolean truth) {
      return truth ? "true" : "false";
    }
    if (value instanceof Double number) {
      return Double.isNaN(number)
          ? "NaN"
          : Double.isInfinite(number)
              ? number > 0 ? "Infinity" : "-Infinity"
              : PythonText.string(number);
    }
    if (value instanceof Number number) {
      return number.toString();
    }
    throw new EvaluationError(
        "Object of type " + Values.typeName(value) + " is not JSON serializable");
  }

  private void array(List<?> elements, int depth) {
    evaluation.enterLevel();
    append("[");
    for (int i = 0; i < elements.size(); i++) {
      append(i == 0 ? "" : itemSeparator);
      newLine(depth);
      value(elements.get(i), depth + 1);
    }
    if (!elements.isEmpty()) {
      newLine(depth - 1);
    }
    append("]");
    evaluation.leaveLevel();
  }

  private void object(Map<Object, Object> map, int depth) {
    evaluation.enterLevel();
    append("{");
    List<Object> keys = new ArrayList<>(map.keySet());
    if (sortKeys) {
      keys = Comparing.sorted(evaluation, keys, keys, false);
    }
    boolean first = true;
    for (Object key : keys) {
      append(first ? "" : itemSeparator);
      first = false;
      newLine(depth);
      string(key instanceof String name ? name : scalar(key));
      append(keySeparator);
      Object value = map.get(key);
      value(value == null ? None.NONE : value, depth + 1);
    }
    if (!keys.isEmpty()) {
      newLine(depth - 1);
    }
    append("}");
    evaluation.leaveLevel();
  }

  private void newLine(int depth) {
    if (indent != null) {
      evaluation.reserve(1 + (long) indent.length() * depth);
      text.append('\n').repeat(indent, depth);
    }
  }

  private void append(String part) {
    evaluation.reserve(part.length());
    text.append(part);
  }

  private void string(String string) {
    evaluation.reserve(2L + string.length());
    int start = text.length();
    text.append('"');
    for (int i = 0; i < string.length(); i++) {
      char c = string.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\f' -> text.append("\\f");
        case '\b' -> text.append("\\b");
        default -> {
          if (c < ' ' || ascii && c > '~') {
            Repr.hexadecimal(text.append("\\u"), c, 4);
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
    evaluation.reserve(text.length() - start - string.length() - 2);
  }
}
