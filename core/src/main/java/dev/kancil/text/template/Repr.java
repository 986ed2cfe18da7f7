package dev.kancil.text.template;

import java.util.List;
import java.util.Map;

/** Python's {@code repr}, in which lists and dicts print what they hold. */
@SuppressWarnings("IfChainToSwitch") // A pattern switch takes long to start.
final class Repr {
  private static final String HEXADECIMAL = "0123456789abcdef";

  private Repr() {}

  static void append(Evaluation evaluation, StringBuilder text, Object value) {
    evaluation.step();
    if (value instanceof Map<?, ?> map) {
      dict(evaluation, text, map);
    } else if (value instanceof List<?> list) {
      text.append('[');
      elements(evaluation, text, list);
      text.append(']');
    } else if (value instanceof Tuple tuple) {
      text.append('(');
      elements(evaluation, text, tuple.elements());
      text.append(tuple.elements().size() == 1 ? ",)" : ")");
    } else if (value instanceof DictView view) {
      text.append(view.kind()).append("([");
      elements(evaluation, text, view.elements());
      text.append("])");
    } else if (value instanceof Namespace namespace) {
      text.append("<Namespace ");
      dict(evaluation, text, namespace.attributes());
      text.append('>');
    } else {
      scalar(evaluation, text, value);
    }
  }

  private static void scalar(Evaluation evaluation, StringBuilder text, Object value) {
    int start = text.length();
    if (value instanceof String string) {
      string(evaluation, text, string);
      return;
    }
    if (value instanceof Markup markup) {
      text.append("Markup(");
      string(evaluation, text, markup.text());
      text.append(')');
    } else if (value == None.NONE) {
      text.append("None");
    } else if (value instanceof Boolean truth) {
      text.append(truth ? "True" : "False");
    } else if (value instanceof Double number) {
      text.append(PythonText.string(number));
    } else if (value instanceof Number) {
      text.append(value);
    } else if (value instanceof Undefined) {
      text.append("Undefined");
    } else {
      text.append('<').append(Values.typeName(value)).append('>');
    }
    evaluation.reserve(text.length() - start);
  }

  private static void elements(Evaluation evaluation, StringBuilder text, List<?> elements) {
    evaluation.enterLevel();
    evaluation.reserve(2L + 2L * elements.size());
    for (int i = 0; i < elements.size(); i++) {
      text.append(i == 0 ? "" : ", ");
      append(evaluation, text, elements.get(i));
    }
    evaluation.leaveLevel();
  }

  private static void dict(Evaluation evaluation, StringBuilder text, Map<?, ?> map) {
    evaluation.enterLevel();
    evaluation.reserve(2L + 4L * map.size());
    String separator = "{";
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      text.append(separator);
      append(evaluation, text, entry.getKey());
      text.append(": ");
      append(evaluation, text, entry.getValue());
      separator = ", ";
    }
    text.append(map.isEmpty() ? "{}" : "}");
    evaluation.leaveLevel();
  }

  /** A string in the quotes that need the least escaping, all that doesn't print escaped. */
  private static void string(Evaluation evaluation, StringBuilder text, String string) {
    // At most ten characters stand for one.
    evaluation.reserve(string.length());
    int start = text.length();
    char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    text.append(quote);
    for (int i = 0, c; i < string.length(); i += Character.charCount(c)) {
      c = string.codePointAt(i);
      switch (c) {
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        case '\\' -> text.append("\\\\");
        default -> {
          if (c == quote) {
            text.append('\\').append(quote);
          } else if (c >= ' ' && c < 127 || c > 127 && prints(c)) {
            text.appendCodePoint(c);
          } else if (c < 0x100) {
            hexadecimal(text.append("\\x"), c, 2);
          } else if (c < 0x10000) {
            hexadecimal(text.append("\\u"), c, 4);
          } else {
            hexadecimal(text.append("\\U"), c, 8);
          }
        }
      }
    }
    text.append(quote);
    evaluation.reserve(text.length() - start - string.length());
  }

  private static boolean prints(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  static void hexadecimal(StringBuilder text, int value, int digits) {
    for (int shift = 4 * digits - 4; shift >= 0; shift -= 4) {
      text.append(HEXADECIMAL.charAt(value >>> shift & 15));
    }
  }
}
