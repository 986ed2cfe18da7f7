package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.Grid;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.DataType;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * How blocks divide attention, each row for itself; see {@code attention_split.h}.
 *
 * @param warps of a block
 * @param splits of a row's keys, at most
 * @param headsAtOnce query heads of a block
 * @param valuePart columns of values of a block
 * @param parts of the heads and the columns of a row
 * @param isOnTensorCores whether they multiply the cache's numbers of 16 or 8 bits
 */
record AttentionSplit(
    int warps, int splits, int headsAtOnce, int valuePart, int parts, boolean isOnTensorCores) {
  private static final int MOST_WARPS = 4;
  private static final int MOST_HEADS = 8;

  /** More results would take the block that adds them up longer than the keys take. */
  private static final int MOST_SPLITS = 64;

  /** Several for each multiprocessor; more would take long to start where tiles leave few rows. */
  private static final int MOST_BLOCKS_IN_TURN = 1024;

  /** Emulated devices have fewer multiprocessors, but should divide keys as all others do. */
  private static final int LEAST_UNITS = 8;

  /** As many as an item's registers hold sums for. */
  private static final int MOST_VALUE_PART = 128;

  /** Shared memory that kernels may declare on every device. */
  private static final int SHARED_BYTES = 48 << 10;

  /** The shape for a device; none where queries are too wide for its shared memory. */
  static Optional<AttentionSplit> of(Attention attention, StateGroup cache, CudaTraits traits) {
    boolean isOnTensorCores = AttentionTiles.canMultiply(attention, cache, traits);
    int group = attention.heads() / attention.kvHeads();
    int headParts = Math.ceilDiv(group, MOST_HEADS);
    int headsAtOnce = Math.ceilDiv(group, headParts);
    int width = attention.valueWidth();
    int valueParts = Math.ceilDiv(width, MOST_VALUE_PART);
    int valuePart = Math.ceilDiv(width, valueParts);
    if (valueParts > 1) {
      // Whole fragments, or runs of columns that are read at once.
      valuePart = Math.ceilDiv(valuePart, 16) * 16;
      valueParts = Math.ceilDiv(width, valuePart);
    }
    int parts = attention.kvHeads() * headParts * valueParts;
    // Two blocks for each multiprocessor: one waits for memory while another computes.
    int units = Math.max(traits.units(), LEAST_UNITS);
    int splits = Math.clamp(Math.ceilDiv(2L * units, parts), 1, MOST_SPLITS);
    for (int warps = MOST_WARPS; warps >= 1; warps /= 2) {
      AttentionSplit split =
          new AttentionSplit(warps, splits, headsAtOnce, valuePart, parts, isOnTensorCores);
      if (split.sharedBytes(attention, cache) <= SHARED_BYTES) {
        return Optional.of(split);
      }
    }
    return Optional.empty();
  }

  /** Whether its blocks can turn queries and keys, and store keys and values, themselves. */
  boolean canTurn(Attention attention, StateGroup cache) {
    long turned = 4L * headsAtOnce * attention.keyWidth();
    return isOnTensorCores && sharedBytes(attention, cache) + turned <= SHARED_BYTES;
  }

  private long sharedBytes(Attention attention, StateGroup cache) {
    long keyWidth = attention.keyWidth();
    long sums = 4L * warps * headsAtOnce * (valuePart + 2) + 64;
    if (!isOnTensorCores) {
      int tile = 32;
      return sums + 4L * headsAtOnce * (keyWidth + (long) warps * tile);
    }
    return sums + keyWidth * (cache.keyType() == DataType.BF16 ? 64 : 32);
  }

  /** Floats of what a block leaves of its split, in whole vectors of four. */
  private int partialFloats() {
    return Math.ceilDiv(headsAtOnce * (valuePart + 2), 4) * 4;
  }

  /** Bytes of the results of all splits of so many rows. */
  long partialBytes(int rows) {
    return (long) rows * parts * splits * partialFloats() * Float.BYTES;
  }

  /** Bytes of the counts of splits that have ended, for so many rows. */
  long endedBytes(int rows) {
    return (long) rows * parts * Integer.BYTES;
  }

  /** What the kernel is compiled with where each split has a block. */
  Map<String, String> defines() {
    Map<String, String> defines = new HashMap<>();
    defines.put("WARPS", String.valueOf(warps));
    defines.put("HEADS_AT_ONCE", String.valueOf(headsAtOnce));
    defines.put("VALUE_PART", String.valueOf(valuePart));
    defines.put("PARTIAL_FLOATS", String.valueOf(partialFloats()));
    if (isOnTensorCores) {
      defines.put("HALVES", "");
    }
    return defines;
  }

  /** The same where a block goes through all splits. */
  Map<String, String> definesInTurn() {
    Map<String, String> defines = defines();
    defines.put("IN_TURN", "");
    return defines;
  }

  /** The same, but for rows that these tiles leave out. */
  Map<String, String> definesBeside(AttentionTiles tiles) {
    Map<String, String> defines = definesInTurn();
    defines.put("TILE_ROWS", String.valueOf(tiles.rows()));
    return defines;
  }

  Grid grid() {
    return grid(splits, Integer.MAX_VALUE);
  }

  Grid gridInTurn() {
    return grid(1, Math.ceilDiv(MOST_BLOCKS_IN_TURN, parts));
  }

  private Grid grid(int blocks, int mostRows) {
    return new Grid(
        new long[] {32L * warps, 1, 1},
        (rows, groups) -> {
          groups[0] = blocks;
          groups[1] = parts;
          groups[2] = Math.min(rows, mostRows);
        });
  }
}
