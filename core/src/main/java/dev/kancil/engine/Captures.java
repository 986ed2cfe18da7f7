package dev.kancil.engine;

import dev.kancil.InvalidRequestException;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What is returned beside a model's results.
 *
 * @param patterns of values ({@link Taps#capture})
 */
record Captures(List<String> patterns) {
  Captures {
    patterns = List.copyOf(patterns);
  }

  /** Whether a name is among what is asked for. */
  boolean has(String name) {
    return patterns.stream().anyMatch(pattern -> Taps.matches(name, pattern));
  }

  /**
   * Graphs with all captures, each of which at least one of them has.
   *
   * @param others names of what is returned beside their values
   */
  List<Graph> tapped(List<Graph> graphs, String... others) {
    List<Graph> tapped = new ArrayList<>(graphs);
    for (String pattern : patterns) {
      boolean isFound = Stream.of(others).anyMatch(name -> Taps.matches(name, pattern));
      String why = "";
      for (int i = 0; i < tapped.size(); i++) {
        try {
          tapped.set(i, Taps.capture(tapped.get(i), pattern));
          isFound = true;
        } catch (IllegalArgumentException e) {
          why = String.valueOf(e.getMessage());
        }
      }
      if (!isFound) {
        throw new InvalidRequestException("--capture " + pattern + ": " + why);
      }
    }
    return tapped;
  }
}
