package dev.kancil.graph;

import java.util.List;

/**
 * What a model remembers of a sequence: groups of layers that are forked, rolled back and released
 * together. How it is cut into pages is the device's affair.
 */
public record StateLayout(List<StateGroup> groups) {
  public StateLayout {
    groups = List.copyOf(groups);
  }

  /** Bytes that {@code tokens} tokens of one sequence take at most, before rounding to pages. */
  public long bytes(long tokens) {
    long bytes = 0;
    for (StateGroup group : groups) {
      long kept = group.window() == 0 ? tokens : Math.min(tokens, group.window());
      bytes =
          Math.addExact(
              bytes,
              Math.multiplyExact(kept, Math.multiplyExact(group.layers(), group.tokenBytes())));
    }
    return bytes;
  }
}
