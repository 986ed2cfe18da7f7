package dev.kancil.backend.opencl;

import dev.kancil.backend.opencl.Launch.Grid;
import dev.kancil.graph.op.Attention;
import java.util.Map;

/**
 * How work-groups divide attention.
 *
 * @param few for steps of few rows
 * @param many for prompts
 */
record AttentionShape(Tile few, Tile many) {
  /** Keys at a time: half a page at least. */
  private static final int[] BLOCKS = {32, 16};

  private static final int[] TILES = {8, 4, 2, 1};

  /**
   * @param lanes items of a work-group
   * @param rows of a step that share the loads of keys
   * @param block keys at a time, a multiple of 16 that divides a page
   * @param splits work-groups among which the keys of a row are divided
   */
  record Tile(int lanes, int rows, int block, int splits) {
    Map<String, String> defines() {
      return Map.of(
          "LANES", String.valueOf(lanes),
          "TILE", String.valueOf(rows),
          "BLOCK", String.valueOf(block),
          "SPLITS", String.valueOf(splits));
    }

    Grid grid(int kvHeads) {
      return new Grid(
          new long[] {lanes, 1},
          (count, groups) -> {
            groups[0] = (long) kvHeads * splits;
            groups[1] = Math.ceilDiv(count, rows);
          });
    }
  }

  static AttentionShape of(Attention attention, ClDevice device) {
    int lanes =
        device.isProcessor() ? 1 : Math.min(64, Integer.highestOneBit(device.largestGroup()));
    int splits = device.isProcessor() ? 8 : 32;
    return new AttentionShape(
        fitting(attention, device, lanes, 1, splits), fitting(attention, device, lanes, 8, 1));
  }

  /** The largest tile of at most {@code mostRows} that local memory has room for. */
  private static Tile fitting(
      Attention attention, ClDevice device, int lanes, int mostRows, int splits) {
    for (int rows : TILES) {
      for (int block : BLOCKS) {
        if (rows <= mostRows && localBytes(attention, rows, block) <= device.localBytes()) {
          return new Tile(lanes, rows, block, splits);
        }
      }
    }
    // What does not fit even so is the driver's to refuse, with its own words.
    return new Tile(lanes, 1, BLOCKS[BLOCKS.length - 1], splits);
  }

  private static long localBytes(Attention attention, int rows, int block) {
    long keys = 16L * Math.ceilDiv(attention.keyWidth(), 16);
    long values = 16L * Math.ceilDiv(attention.valueWidth(), 16);
    long heads = (long) rows * (attention.heads() / attention.kvHeads());
    return Float.BYTES * (block * Math.max(keys, values) + heads * (keys + values + block + 3));
  }
}
