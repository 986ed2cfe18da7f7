package dev.kancil.backend.opencl;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.graph.op.Attention;
import java.util.Map;

/**
 * How work-groups divide the attention of few rows; see {@code attention_partial.cl}.
 *
 * @param items of a work-group
 * @param block keys that are passed over at once
 * @param keyLanes items that share a key
 * @param valueLanes items that share a value
 * @param vector floats of a vector
 * @param sumVectors vectors of columns that an item sums at once
 * @param splits work-groups among which the keys of a row are divided
 */
record AttentionSplit(
    int items, int block, int keyLanes, int valueLanes, int vector, int sumVectors, int splits) {
  private static final int MOST_BLOCK = 128;
  private static final int MOST_SPLITS = 32;

  /**
   * The largest block that local memory has room for.
   *
   * @throws UnsupportedException if there is none
   */
  static AttentionSplit of(Attention attention, ClDevice device) {
    for (int block = MOST_BLOCK; block >= 16; block /= 2) {
      AttentionSplit split =
          device.isProcessor()
              ? new AttentionSplit(
                  1, block, 1, 1, device.floatVector(), 4, splits(attention, device, 1))
              : graphics(attention, device, block);
      if (split.localBytes(attention) <= device.localBytes()) {
        return split;
      }
    }
    throw new UnsupportedException(
        attention.name()
            + " of "
            + attention.heads()
            + " heads on "
            + attention.kvHeads()
            + " KV heads needs more local memory than "
            + device.name()
            + " has");
  }

  private static AttentionSplit graphics(Attention attention, ClDevice device, int block) {
    int vector = 8;
    int items = Math.min(128, Integer.highestOneBit(device.largestGroup()));
    int chunks = Math.ceilDiv(attention.valueWidth(), vector);
    int valueLanes = Math.min(chunks, items);
    int sums = Math.ceilDiv(chunks, valueLanes);
    // A few groups for each unit: one waits for memory while another computes.
    return new AttentionSplit(
        items, block, Math.min(8, items), valueLanes, vector, sums, splits(attention, device, 4));
  }

  /** So many that a single row gives each unit {@code perUnit} groups. */
  private static int splits(Attention attention, ClDevice device, int perUnit) {
    return Math.clamp(
        Math.ceilDiv((long) perUnit * device.units(), attention.kvHeads()), 1, MOST_SPLITS);
  }

  private long localBytes(Attention attention) {
    long keyColumns = (long) Math.ceilDiv(attention.keyWidth(), vector) * vector;
    long valueColumns = (long) Math.ceilDiv(attention.valueWidth(), vector) * vector;
    long group = attention.heads() / attention.kvHeads();
    long scoreItems = Math.min(items, block / vector);
    long floats =
        group * (keyColumns + (long) block * (keyLanes + 1) + scoreItems)
            + items / valueLanes * valueColumns;
    return floats * Float.BYTES;
  }

  Map<String, String> defines() {
    return Map.of(
        "ITEMS", String.valueOf(items),
        "BLOCK", String.valueOf(block),
        "KEY_LANES", String.valueOf(keyLanes),
        "VALUE_LANES", String.valueOf(valueLanes),
        "VECTOR", String.valueOf(vector),
        "SUM_VECTORS", String.valueOf(sumVectors),
        "SPLITS", String.valueOf(splits));
  }

  Grid grid(int kvHeads) {
    return new Grid(
        new long[] {items, 1, 1},
        (rows, groups) -> {
          groups[0] = splits;
          groups[1] = kvHeads;
          groups[2] = rows;
        });
  }
}
