package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The filters that walk their input. */
final class SequenceFilters {
  private SequenceFilters() {}

  /** Null where there is no such filter. */
  static @Nullable Object apply(
      Evaluation evaluation, String name, Object value, Arguments arguments) {
    return switch (name) {
      case "list" -> Values.copy(evaluation, Values.iterate(evaluation, value));
      case "join" -> {
        arguments.check(name, "d", "attribute");
        String separator = PythonText.string(evaluation, arguments.get(0, "d", ""));
        yield join(evaluation, keys(evaluation, value, 1, arguments, true), separator, false);
      }
      case "first", "last" -> end(evaluation, name, value);
      case "reverse" -> {
        if (value instanceof String text) {
          yield Slices.slice(evaluation, text, null, null, -1L);
        }
        List<Object> reversed = Values.copy(evaluation, Values.iterate(evaluation, value));
        Collections.reverse(reversed);
        yield new Generator(reversed);
      }
      case "map" -> map(evaluation, value, arguments);
      case "select", "reject" -> select(evaluation, value, arguments, null, name.equals("select"));
      case "selectattr", "rejectattr" ->
          select(
              evaluation,
              value,
              arguments.after(1),
              arguments.require(name, 0, "attribute"),
              name.equals("selectattr"));
      case "unique" -> unique(evaluation, value, arguments);
      case "sort" -> {
        arguments.check(name, "reverse", "case_sensitive", "attribute");
        List<Object> elements = Values.iterate(evaluation, value);
        List<Object> keys =
            keys(evaluation, elements, 2, arguments, arguments.flag(1, "case_sensitive", false));
        yield Comparing.sorted(evaluation, elements, keys, arguments.flag(0, "reverse", false));
      }
      case "min", "max" -> {
        arguments.check(name, "case_sensitive", "attribute");
        List<Object> elements = Values.iterate(evaluation, value);
        List<Object> keys =
            keys(evaluation, elements, 1, arguments, arguments.flag(0, "case_sensitive", false));
        int place = Comparing.extreme(evaluation, keys, name.equals("max"));
        yield place < 0
            ? new Undefined("No aggregated item, sequence was empty.")
            : elements.get(place);
      }
      case "dictsort" -> dictsort(evaluation, value, arguments);
      case "sum" -> {
        arguments.check(name, "attribute", "start");
        Object sum = arguments.get(1, "start", 0L);
        for (Object element : keys(evaluation, value, 0, arguments, true)) {
          sum = Arithmetic.binary(evaluation, "+", sum, element);
        }
        yield sum;
      }
      default -> null;
    };
  }

  /** The elements as text, one after the other; {@code str.join} takes nothing but strings. */
  static String join(
      Evaluation evaluation, List<Object> elements, String separator, boolean stringsOnly) {
    StringBuilder joined = new StringBuilder();
    for (int i = 0; i < elements.size(); i++) {
      Object element = Values.plain(elements.get(i));
      if (stringsOnly && !(element instanceof String)) {
        throw new EvaluationError(
            "sequence item "
                + i
                + ": expected str instance, "
                + Values.typeName(element)
                + " found");
      }
      String text = PythonText.string(evaluation, element);
      evaluation.reserve((long) text.length() + separator.length());
      joined.append(i == 0 ? "" : separator).append(text);
    }
    return joined.toString();
  }

  /**
   * What elements are compared, joined or added by: themselves, or the attribute that the argument
   * {@code attribute} names; strings in lower case where case doesn't matter.
   */
  private static List<Object> keys(
      Evaluation evaluation, Object value, int place, Arguments arguments, boolean caseMatters) {
    Object attribute = arguments.get(place, "attribute", None.NONE);
    List<Object> elements = Values.iterate(evaluation, value);
    if (attribute == None.NONE && caseMatters) {
      return elements;
    }
    List<Object> keys = Values.copy(evaluation, elements);
    for (int i = 0; i < keys.size(); i++) {
      Object key = Values.plain(keys.get(i));
      if (attribute != None.NONE) {
        key = Values.plain(Members.path(evaluation, key, attribute, null));
      }
      keys.set(i, caseMatters ? key : folded(evaluation, key));
    }
    return keys;
  }

  private static Object folded(Evaluation evaluation, Object key) {
    return key instanceof String text
        ? StringMethods.call(evaluation, text, "lower", Arguments.NONE)
        : key;
  }

  private static Object end(Evaluation evaluation, String name, Object value) {
    List<Object> elements = Values.iterate(evaluation, value);
    if (name.equals("last") && value instanceof Generator) {
      throw new EvaluationError("'generator' object is not reversible");
    }
    if (elements.isEmpty()) {
      return new Undefined("No " + name + " item, sequence was empty.");
    }
    return elements.get(name.equals("first") ? 0 : elements.size() - 1);
  }

  /** Map and select, unlike the others, take anything that is false for an empty list. */
  private static List<Object> walked(Evaluation evaluation, Object value) {
    return Values.isTrue(value) ? Values.iterate(evaluation, value) : List.of();
  }

  private static Generator map(Evaluation evaluation, Object value, Arguments arguments) {
    List<Object> mapped = Values.copy(evaluation, walked(evaluation, value));
    if (arguments.positional().isEmpty()) {
      arguments.check("map", "attribute", "default");
      // Not by place: map's first positional argument is a filter's name.
      Object attribute = arguments.require("map", 0, "attribute");
      Object otherwise = arguments.find(1, "default");
      for (int i = 0; i < mapped.size(); i++) {
        mapped.set(i, Members.path(evaluation, Values.plain(mapped.get(i)), attribute, otherwise));
      }
      return new Generator(mapped);
    }
    String filter = arguments.string("map", 0, "filter");
    Arguments rest = arguments.after(1);
    for (int i = 0; i < mapped.size(); i++) {
      evaluation.enterLevel();
      mapped.set(i, Filters.apply(evaluation, filter, Values.plain(mapped.get(i)), rest));
      evaluation.leaveLevel();
    }
    return new Generator(mapped);
  }

  /** The elements which, or whose attribute, pass a test, or don't; without a test, are true. */
  private static Generator select(
      Evaluation evaluation,
      Object value,
      Arguments test,
      @Nullable Object attribute,
      boolean wanted) {
    List<Object> kept = new ArrayList<>();
    String name = test.positional().isEmpty() ? null : test.string("select", 0, "test");
    Arguments rest = test.after(1);
    for (Object element : walked(evaluation, value)) {
      Object tested = Values.plain(element);
      if (attribute != null) {
        tested = Values.plain(Members.path(evaluation, tested, attribute, null));
      }
      boolean passes =
          name == null ? Values.isTrue(tested) : Tests.test(evaluation, name, tested, rest);
      if (passes == wanted) {
        evaluation.reserve(Values.ELEMENT);
        kept.add(element);
      }
    }
    return new Generator(kept);
  }

  private static Generator unique(Evaluation evaluation, Object value, Arguments arguments) {
    arguments.check("unique", "case_sensitive", "attribute");
    List<Object> elements = Values.iterate(evaluation, value);
    List<Object> keys =
        keys(evaluation, elements, 1, arguments, arguments.flag(0, "case_sensitive", false));
    Set<Object> seen = new HashSet<>();
    List<Object> kept = new ArrayList<>();
    for (int i = 0; i < elements.size(); i++) {
      evaluation.reserve(Values.ELEMENT + Values.OBJECT);
      Object key = Values.key(keys.get(i));
      // True is 1, as an element of a set too.
      if (seen.add(key instanceof Boolean truth ? (Object) (truth ? 1L : 0L) : key)) {
        kept.add(elements.get(i));
      }
    }
    return new Generator(kept);
  }

  private static List<Object> dictsort(Evaluation evaluation, Object value, Arguments arguments) {
    arguments.check("dictsort", "case_sensitive", "by", "reverse");
    boolean caseMatters = arguments.flag(0, "case_sensitive", false);
    Object by = arguments.get(1, "by", "key");
    if (value instanceof Undefined undefined) {
      throw undefined.fail();
    }
    if (!(value instanceof Map<?, ?> map)) {
      throw new EvaluationError("'" + Values.typeName(value) + " object' has no attribute 'items'");
    }
    if (!by.equals("key") && !by.equals("value")) {
      throw new EvaluationError("You can only sort by either \"key\" or \"value\"");
    }
    List<Object> keys = new ArrayList<>();
    evaluation.reserve((long) Values.ELEMENT * map.size());
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      Object key = Values.plain(by.equals("key") ? entry.getKey() : entry.getValue());
      keys.add(caseMatters ? key : folded(evaluation, key));
    }
    List<Object> items = Members.items(evaluation, map);
    return Comparing.sorted(evaluation, items, keys, arguments.flag(2, "reverse", false));
  }
}
