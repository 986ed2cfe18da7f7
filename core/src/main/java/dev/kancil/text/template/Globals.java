package dev.kancil.text.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call. */
record Globals(String name) implements Callable {
  /** Python's sandbox has the same bound. */
  private static final long MAX_RANGE = 100_000;

  static @Nullable Object find(String name) {
    return switch (name) {
      case "namespace", "raise_exception", "strftime_now", "range", "dict" -> new Globals(name);
      default -> null;
    };
  }

  @Override
  public String typeName() {
    return "function";
  }

  @Override
  public Object call(Evaluation evaluation, Arguments arguments) {
    return switch (name) {
      case "namespace" -> new Namespace(dict(evaluation, arguments));
      case "dict" -> dict(evaluation, arguments);
      case "range" -> range(evaluation, arguments);
      case "strftime_now" ->
          Strftime.format(
              evaluation,
              evaluation.now(),
              arguments.check(name, "format").string(name, 0, "format"));
      default ->
          throw new EvaluationError(
              PythonText.string(
                  evaluation, arguments.check(name, "message").require(name, 0, "message")));
    };
  }

  private Map<Object, Object> dict(Evaluation evaluation, Arguments arguments) {
    Map<Object, Object> result = new LinkedHashMap<>();
    if (arguments.positional().size() > 1) {
      throw new EvaluationError(name + " expected at most 1 argument");
    }
    if (!arguments.positional().isEmpty()) {
      Object start = arguments.positional().get(0);
      if (start instanceof Map<?, ?> map) {
        evaluation.reserve(16L * map.size());
        result.putAll(map);
      } else {
        for (Object pair : Values.iterate(evaluation, start)) {
          List<Object> entry = Values.iterate(evaluation, pair);
          if (entry.size() != 2) {
            throw new EvaluationError("dictionary update sequence element has not length 2");
          }
          evaluation.reserve(16);
          result.put(Values.key(entry.get(0)), entry.get(1));
        }
      }
    }
    evaluation.reserve(16L * arguments.named().size());
    result.putAll(arguments.named());
    return result;
  }

  private List<Object> range(Evaluation evaluation, Arguments arguments) {
    arguments.check(name, "start", "stop", "step");
    long first = Arithmetic.index(arguments.require(name, 0, "start"), "range argument");
    boolean single = arguments.positional().size() == 1;
    long start = single ? 0 : first;
    long stop = single ? first : arguments.integer(name, 1, "stop", 0);
    long step = arguments.integer(name, 2, "step", 1);
    if (step == 0) {
      throw new EvaluationError("range() arg 3 must not be zero");
    }
    List<Object> numbers = new ArrayList<>();
    for (long n = start; step > 0 ? n < stop : n > stop; n += step) {
      if (numbers.size() >= MAX_RANGE) {
        throw new EvaluationError(
            "Range too big. The sandbox blocks ranges larger than MAX_RANGE (" + MAX_RANGE + ").");
      }
      evaluation.reserve(8);
      numbers.add(n);
      // Past the last of the 64-bit integers there is nothing more to count.
      if (step > 0 ? n > Long.MAX_VALUE - step : n < Long.MIN_VALUE - step) {
        break;
      }
    }
    return numbers;
  }
}
