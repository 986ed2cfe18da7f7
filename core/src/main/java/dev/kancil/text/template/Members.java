package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Attributes and elements. {@code a.b} looks for a method first and an element second, {@code
 * a['b']} the other way round: so the methods of a dict hide keys of the same name from the dot.
 */
final class Members {
  private Members() {}

  static Object attribute(Evaluation evaluation, Object owner, String name) {
    if (owner instanceof Undefined undefined) {
      throw undefined.fail();
    }
    Object method = method(owner, name);
    if (method != null) {
      return method;
    }
    Object element = owner instanceof Map<?, ?> map ? map.get(name) : null;
    return element == null ? Undefined.member(owner, name) : element;
  }

  static Object item(Evaluation evaluation, Object owner, Object key) {
    if (owner instanceof Undefined undefined) {
      throw undefined.fail();
    }
    Object element = element(evaluation, owner, key);
    if (element == null && key instanceof String name) {
      element = method(owner, name);
    }
    return element == null ? Undefined.member(owner, key) : element;
  }

  private static @Nullable Object element(Evaluation evaluation, Object owner, Object key) {
    if (owner instanceof Map<?, ?> map) {
      boolean hashable = key == None.NONE || key instanceof String || Arithmetic.isNumber(key);
      return hashable ? map.get(Values.key(key)) : null;
    }
    if (!Arithmetic.isInteger(key)) {
      return null;
    }
    long place = Arithmetic.index(key, "index");
    if (owner instanceof String text) {
      long length = Values.length(evaluation, text);
      long at = place < 0 ? place + length : place;
      if (at < 0 || at >= length) {
        return null;
      }
      int offset = text.offsetByCodePoints(0, (int) at);
      return text.substring(offset, text.offsetByCodePoints(offset, 1));
    }
    List<Object> elements = owner instanceof DictView ? null : Values.elements(owner);
    if (elements == null) {
      return null;
    }
    long at = place < 0 ? place + elements.size() : place;
    return at < 0 || at >= elements.size() ? null : elements.get((int) at);
  }

  /** A method or other attribute proper of a value; null where it has none of that name. */
  private static @Nullable Object method(Object owner, String name) {
    if (owner instanceof String) {
      return StringMethods.isMethod(name) ? new BoundMethod(owner, name) : null;
    }
    if (owner instanceof Map) {
      return switch (name) {
        case "get", "items", "keys", "values", "copy" -> new BoundMethod(owner, name);
        case "pop", "update", "setdefault", "clear", "popitem" -> Undefined.unsafe(owner, name);
        default -> null;
      };
    }
    if (owner instanceof List || owner instanceof Tuple) {
      return switch (name) {
        case "index", "count" -> new BoundMethod(owner, name);
        case "copy" -> owner instanceof List ? new BoundMethod(owner, name) : null;
        case "append", "extend", "insert", "pop", "remove", "reverse", "sort", "clear" ->
            owner instanceof List ? Undefined.unsafe(owner, name) : null;
        default -> null;
      };
    }
    if (owner instanceof LoopState loop) {
      return loop.attribute(name);
    }
    if (owner instanceof Namespace namespace) {
      return namespace.attributes().get(name);
    }
    return owner instanceof Macro macro && name.equals("name") ? macro.signature().name() : null;
  }

  /**
   * An attribute by a path as {@code map} and {@code selectattr} take it: names and numbers with
   * dots between. Where a part is missing, the default stands for it, if there is one.
   */
  static Object path(Evaluation evaluation, Object value, Object path, @Nullable Object otherwise) {
    if (!(path instanceof String names)) {
      return orDefault(item(evaluation, value, path), otherwise);
    }
    Object found = value;
    int start = 0;
    while (true) {
      int dot = names.indexOf('.', start);
      String name = names.substring(start, dot < 0 ? names.length() : dot);
      evaluation.scan(name.length());
      Long place = PythonText.digits(name);
      Object part = item(evaluation, Values.plain(found), place == null ? name : place);
      found = orDefault(part, otherwise);
      if (dot < 0) {
        return found;
      }
      start = dot + 1;
    }
  }

  private static Object orDefault(Object value, @Nullable Object otherwise) {
    return otherwise != null && value instanceof Undefined ? otherwise : value;
  }

  static Object callOnDict(
      Evaluation evaluation, Map<Object, Object> dict, String name, Arguments arguments) {
    return switch (name) {
      case "get" -> {
        arguments.check(name, "key", "default");
        Object found = dict.get(Values.key(arguments.require(name, 0, "key")));
        yield found == null ? arguments.get(1, "default", None.NONE) : found;
      }
      case "items" -> {
        arguments.check(name);
        yield new DictView("dict_items", items(evaluation, dict));
      }
      case "keys" -> {
        arguments.check(name);
        yield new DictView("dict_keys", Values.iterate(evaluation, dict));
      }
      case "values" -> {
        arguments.check(name);
        evaluation.reserve((long) Values.ELEMENT * dict.size());
        yield new DictView("dict_values", new ArrayList<>(dict.values()));
      }
      // Nothing can change a dict, so it is its own copy.
      default -> dict;
    };
  }

  static List<Object> items(Evaluation evaluation, Map<?, ?> dict) {
    evaluation.reserve((long) (Values.ELEMENT + Values.OBJECT) * dict.size());
    List<Object> items = new ArrayList<>(dict.size());
    for (Map.Entry<?, ?> entry : dict.entrySet()) {
      items.add(new Tuple(List.of(entry.getKey(), entry.getValue())));
    }
    return items;
  }

  static Object callOnSequence(
      Evaluation evaluation, Object sequence, String name, Arguments arguments) {
    List<Object> elements = Values.iterate(evaluation, sequence);
    if (name.equals("copy")) {
      return elements;
    }
    Object wanted = Values.plain(arguments.check(name, "value").require(name, 0, "value"));
    long count = 0;
    for (int i = 0; i < elements.size(); i++) {
      if (Comparing.equal(evaluation, Values.plain(elements.get(i)), wanted)) {
        if (name.equals("index")) {
          return (long) i;
        }
        count++;
      }
    }
    if (name.equals("index")) {
      throw new EvaluationError("value is not in list");
    }
    return count;
  }
}
