package dev.kancil.backend.cpu;

/**
 * Memory that a thread uses while it runs one chunk, shared by all kernels of a device since a
 * thread runs one at a time. Kernels reserve what they need when they are bound, so that a step
 * allocates nothing.
 */
final class Scratch {
  private static final int KINDS = Kind.values().length;

  /** What a kernel keeps there; each is an array of its own. */
  enum Kind {
    /** Decoded weights, or decoded keys. */
    PANEL,
    /** Decoded values, or a second matrix's weights. */
    SECOND_PANEL,
    /** Products that wait for their epilogue, or attention scores. */
    PRODUCTS,
    /** Products of the second matrix. */
    SECOND_PRODUCTS,
    /** Queries of an attention tile, scaled. */
    QUERIES,
    /** Weighted sums of values, not yet normalised. */
    SUMS,
    /** A row on its way to or from the cache. */
    ROW,
    /** Operands of a score expression. */
    EXPRESSION
  }

  private final float[][][] arrays;

  Scratch(int threads) {
    arrays = new float[threads][KINDS][0];
  }

  /** Makes sure that each thread has {@code floats} of a kind. */
  synchronized void reserve(Kind kind, long floats) {
    int size = Math.toIntExact(floats);
    for (float[][] kinds : arrays) {
      // A chunk that runs meanwhile keeps the array that it took.
      if (kinds[kind.ordinal()].length < size) {
        kinds[kind.ordinal()] = new float[size];
      }
    }
  }

  float[] of(Kind kind, int thread) {
    return arrays[thread][kind.ordinal()];
  }
}
