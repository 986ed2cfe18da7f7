package dev.kancil.conformance;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** What happens to the sequences of a case. Sequences are numbered from 0 and open when named. */
sealed interface Event {
  /** One step: how many rows each sequence gets, 0 for those that are left out. */
  record Rows(List<Integer> perSequence) implements Event {
    public Rows {
      perSequence = List.copyOf(perSequence);
    }

    int total() {
      return perSequence.stream().mapToInt(rows -> rows).sum();
    }
  }

  /** Sequence {@code to} starts with the first {@code length} tokens of {@code from}. */
  record Fork(int from, int to, int length) implements Event {}

  /** The sequence forgets what lies behind its first {@code length} tokens. */
  record Truncate(int sequence, int length) implements Event {}

  /** The sequence ends; naming it again opens an empty one. */
  record Release(int sequence) implements Event {}

  /** Rows of each sequence, or the event's own text. */
  default String describe() {
    return this instanceof Rows(var counts)
        ? counts.stream().map(String::valueOf).collect(Collectors.joining("+"))
        : toString();
  }

  static Event rows(Integer... perSequence) {
    return new Rows(Arrays.asList(perSequence));
  }
}
