package dev.kancil.text.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The evaluated arguments of one call. */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  /** Fails unless every argument is one of the parameters. */
  Arguments check(String function, String... parameters) {
    if (positional.size() > parameters.length) {
      throw new EvaluationError(
          function
              + "() takes at most "
              + parameters.length
              + " arguments, not "
              + positional.size());
    }
    for (String name : named.keySet()) {
      if (!List.of(parameters).contains(name)) {
        throw new EvaluationError(
            function + "() got an unexpected keyword argument '" + Values.shortened(name) + "'");
      }
    }
    return this;
  }

  /** An argument by place or name; null where it is absent. */
  @Nullable Object find(int place, String name) {
    return place < positional.size() ? positional.get(place) : named.get(name);
  }

  Object get(int place, String name, Object otherwise) {
    Object value = find(place, name);
    return value == null ? otherwise : value;
  }

  Object require(String function, int place, String name) {
    Object value = find(place, name);
    if (value == null) {
      throw new EvaluationError(function + "() missing required argument '" + name + "'");
    }
    return value;
  }

  String string(String function, int place, String name) {
    if (require(function, place, name) instanceof String text) {
      return text;
    }
    throw new EvaluationError(
        function
            + "() argument '"
            + name
            + "' must be str, not "
            + Values.typeName(require(function, place, name)));
  }

  boolean flag(int place, String name, boolean otherwise) {
    Object value = find(place, name);
    return value == null ? otherwise : Values.isTrue(value);
  }

  long integer(String function, int place, String name, long otherwise) {
    Object value = find(place, name);
    if (value == null) {
      return otherwise;
    }
    return Arithmetic.index(value, function + "() argument '" + name + "'");
  }

  /** These without the first {@code count} positional ones. */
  Arguments after(int count) {
    return new Arguments(
        count < positional.size() ? positional.subList(count, positional.size()) : List.of(),
        named);
  }
}
