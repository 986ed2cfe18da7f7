package dev.kancil.graph.op;

import java.util.List;

/**
 * Which keys a query sees, as an expression over the two positions. Backends compile it into their
 * attention kernels; {@link #sees} is its meaning. Each expression also bounds the keys that any
 * query of a range can see, so that whole pages are passed over. Asking a mask allocates nothing.
 */
public sealed interface Mask {
  /** Each query sees itself and all before it. */
  Mask CAUSAL = new Linear(-1, 1, 0);

  /** Each query sees every key of its sequence. */
  Mask EVERYTHING = new All(List.of());

  /** Causal, and only the last {@code window} positions, the query's own included. */
  static Mask window(int window) {
    if (window < 1) {
      throw new IllegalArgumentException("a window of " + window);
    }
    return new All(List.of(CAUSAL, new Linear(1, -1, 1 - window)));
  }

  /** Only keys whose positions differ from the query's by at most {@code distance}. */
  static Mask around(int distance) {
    if (distance < 0) {
      throw new IllegalArgumentException("a distance of " + distance);
    }
    return new All(List.of(new Linear(-1, 1, -distance), new Linear(1, -1, -distance)));
  }

  /** Whether the query at {@code query} sees the key at {@code key}. */
  boolean sees(int query, int key);

  /**
   * Whether a query sees exactly the keys from {@link #firstKey} to {@link #lastKey} of its own
   * position, so that no key needs a look of its own.
   */
  boolean isInterval();

  /** A key position at or before the first that any query from {@code from} to {@code to} sees. */
  long firstKey(long from, long to);

  /** A key position at or after the last that any query from {@code from} to {@code to} sees. */
  long lastKey(long from, long to);

  /**
   * {@code query · q + key · k + constant ≤ 0}.
   *
   * @param query the factor of the query's position
   * @param key the factor of the key's position: 1 bounds keys from above, -1 from below
   * @param constant the constant
   */
  record Linear(int query, int key, long constant) implements Mask {
    public Linear {
      if (key != 1 && key != -1) {
        throw new IllegalArgumentException("a key factor of " + key);
      }
    }

    @Override
    public boolean sees(int queryPosition, int keyPosition) {
      return (long) query * queryPosition + (long) key * keyPosition + constant <= 0;
    }

    @Override
    public boolean isInterval() {
      return true;
    }

    @Override
    public long firstKey(long from, long to) {
      return key == 1 ? 0 : Math.max(0, Math.min(query * from, query * to) + constant);
    }

    @Override
    public long lastKey(long from, long to) {
      return key == -1 ? Long.MAX_VALUE : Math.max(-query * from, -query * to) - constant;
    }
  }

  /** Seen by every part; by all where there are none. */
  record All(List<Mask> parts) implements Mask {
    public All {
      parts = List.copyOf(parts);
    }

    @Override
    public boolean sees(int queryPosition, int keyPosition) {
      for (int i = 0; i < parts.size(); i++) {
        if (!parts.get(i).sees(queryPosition, keyPosition)) {
          return false;
        }
      }
      return true;
    }

    @Override
    public boolean isInterval() {
      for (int i = 0; i < parts.size(); i++) {
        if (!parts.get(i).isInterval()) {
          return false;
        }
      }
      return true;
    }

    @Override
    public long firstKey(long from, long to) {
      long first = 0;
      for (int i = 0; i < parts.size(); i++) {
        first = Math.max(first, parts.get(i).firstKey(from, to));
      }
      return first;
    }

    @Override
    public long lastKey(long from, long to) {
      long last = Long.MAX_VALUE;
      for (int i = 0; i < parts.size(); i++) {
        last = Math.min(last, parts.get(i).lastKey(from, to));
      }
      return last;
    }
  }

  /** Seen by at least one part. */
  record Any(List<Mask> parts) implements Mask {
    public Any {
      parts = List.copyOf(parts);
    }

    @Override
    public boolean sees(int queryPosition, int keyPosition) {
      for (int i = 0; i < parts.size(); i++) {
        if (parts.get(i).sees(queryPosition, keyPosition)) {
          return true;
        }
      }
      return false;
    }

    @Override
    public boolean isInterval() {
      return false;
    }

    @Override
    public long firstKey(long from, long to) {
      long first = Long.MAX_VALUE;
      for (int i = 0; i < parts.size(); i++) {
        first = Math.min(first, parts.get(i).firstKey(from, to));
      }
      return first;
    }

    @Override
    public long lastKey(long from, long to) {
      long last = -1;
      for (int i = 0; i < parts.size(); i++) {
        last = Math.max(last, parts.get(i).lastKey(from, to));
      }
      return last;
    }
  }
}
