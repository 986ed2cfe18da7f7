package dev.kancil.backend.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A step's slots sorted by expert, so that each expert's weights are unpacked once for all rows
 * that use it. Slots are numbered row by row and keep that order within an expert. Filled on the
 * device's thread before a product's chunks run; the kernels of a program share it, since they run
 * one after the other.
 *
 * <p>Invariant: every slot belongs to an expert, whatever the ids are.
 */
final class ExpertSlots {
  private int[] starts = new int[1];
  private int[] next = new int[0];
  private int[] sorted = new int[0];

  /** Makes room for the largest step. */
  void reserve(int experts, int slots) {
    if (next.length < experts) {
      starts = new int[experts + 1];
      next = new int[experts];
    }
    if (sorted.length < slots) {
      sorted = new int[slots];
    }
  }

  void sort(MemorySegment ids, int slots, int experts) {
    Arrays.fill(next, 0, experts, 0);
    for (int slot = 0; slot < slots; slot++) {
      next[expert(ids, slot, experts)]++;
    }
    starts[0] = 0;
    for (int expert = 0; expert < experts; expert++) {
      starts[expert + 1] = starts[expert] + next[expert];
      next[expert] = starts[expert];
    }
    for (int slot = 0; slot < slots; slot++) {
      sorted[next[expert(ids, slot, experts)]++] = slot;
    }
  }

  private static int expert(MemorySegment ids, int slot, int experts) {
    return Math.clamp(ids.getAtIndex(ValueLayout.JAVA_INT, slot), 0, experts - 1);
  }

  /** How many slots earlier experts have. */
  int start(int expert) {
    return starts[expert];
  }

  /** How many slots an expert has. */
  int count(int expert) {
    return starts[expert + 1] - starts[expert];
  }

  /** The {@code index}-th slot of an expert. */
  int slot(int expert, int index) {
    return sorted[starts[expert] + index];
  }
}
