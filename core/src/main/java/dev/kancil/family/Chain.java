package dev.kancil.family;

import dev.kancil.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/** Operations of which each takes what the one before computes. */
final class Chain {
  /**
   * @param name of its value, unless it is the last
   * @param build adds it under a name
   */
  private record Step(String name, BiFunction<String, Value, Value> build) {}

  private final List<Step> steps = new ArrayList<>();

  /** Adds one. */
  void then(String name, BiFunction<String, Value, Value> build) {
    steps.add(new Step(name, build));
  }

  /** Builds all of them, at least one; the last one's value has the name {@code result}. */
  Value run(String result, Value x) {
    for (int i = 0; i < steps.size(); i++) {
      boolean isLast = i == steps.size() - 1;
      x = steps.get(i).build.apply(isLast ? result : steps.get(i).name, x);
    }
    return x;
  }
}
