package dev.kancil.backend.cpu;

import dev.kancil.backend.host.NativeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Memory that a thread uses while it runs one chunk, shared by all kernels of a device since a
 * thread runs one at a time. Kernels reserve what they need when they are bound, so that a step
 * allocates nothing.
 */
final class Scratch {
  /** What a kernel keeps there; each is an array of its own. */
  enum Kind {
    /** Decoded weights, or decoded keys. */
    PANEL,
    /** Decoded values. */
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

  private final List<Map<Kind, Floats>> arrays = new ArrayList<>();
  // What native kernels use: a thread's each, then what threads share.
  private final MemorySegment[] memory;

  private final VectorTiles.Rooms[] tileRooms;

  Scratch(int threads) {
    tileRooms = new VectorTiles.Rooms[threads];
    Arrays.fill(tileRooms, new VectorTiles.Rooms(new float[0], new int[0]));
    memory = new MemorySegment[threads + 1];
    Arrays.fill(memory, MemorySegment.NULL);
    for (int i = 0; i < threads; i++) {
      Map<Kind, Floats> kinds = new EnumMap<>(Kind.class);
      for (Kind kind : Kind.values()) {
        kinds.put(kind, Floats.of(0));
      }
      arrays.add(kinds);
    }
  }

  /** Makes sure that each thread has {@code floats} of a kind. */
  synchronized void reserve(Kind kind, long floats) {
    int size = Math.toIntExact(floats);
    for (Map<Kind, Floats> kinds : arrays) {
      // A chunk that runs meanwhile keeps the array that it took.
      if (Objects.requireNonNull(kinds.get(kind)).array().length < size) {
        kinds.put(kind, Floats.of(size));
      }
    }
  }

  /** Makes sure that each thread has what products of tiles need, with so many floats. */
  synchronized void reserveTileRooms(int floats) {
    for (int i = 0; i < tileRooms.length; i++) {
      if (tileRooms[i].floats().length < floats) {
        tileRooms[i] = new VectorTiles.Rooms(new float[floats], new int[TileQuants.ROOM]);
      }
    }
  }

  VectorTiles.Rooms tileRooms(int thread) {
    return tileRooms[thread];
  }

  float[] of(Kind kind, int thread) {
    return floats(kind, thread).array();
  }

  Floats floats(Kind kind, int thread) {
    return Objects.requireNonNull(arrays.get(thread).get(kind));
  }

  /**
   * A thread's memory outside the heap, of at least so many bytes; of all threads together, for the
   * number behind the last one. Who takes it keeps it: what comes later may get another one.
   */
  synchronized MemorySegment memory(int thread, long bytes) {
    if (memory[thread].byteSize() < bytes) {
      memory[thread] = NativeMemory.allocate(bytes, Arena.ofAuto(), "scratch");
    }
    return memory[thread];
  }

  /** The smallest multiple of the longest vector's length that is at least {@code elements}. */
  static int padded(int elements) {
    return Math.addExact(elements, 15) & -16;
  }
}
