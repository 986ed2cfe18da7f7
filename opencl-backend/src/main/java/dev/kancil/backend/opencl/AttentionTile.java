package dev.kancil.backend.opencl;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.accelerator.Grid;
import dev.kancil.graph.op.Attention;
import java.util.List;
import java.util.Map;

/**
 * How work-groups divide the attention of many rows; see {@code attention.cl}.
 *
 * @param keyLanes items of a work-group beside each other: they share a query
 * @param queryLanes items of a work-group one after the other
 * @param queriesPerItem queries (heads of rows) that an item has at once
 * @param keyVectors vectors of keys that an item has at once
 * @param vector floats of a vector
 * @param sumVectors vectors of columns that an item sums at once
 * @param rows of a step that pass over the keys together
 */
record AttentionTile(
    int keyLanes,
    int queryLanes,
    int queriesPerItem,
    int keyVectors,
    int vector,
    int sumVectors,
    int rows) {
  private static final int MOST_QUERY_LANES = 12;

  /** Key lanes, query lanes and vector, best first: smaller ones need less local memory. */
  private static final List<int[]> GRAPHICS =
      List.of(new int[] {16, 8, 4}, new int[] {8, 8, 4}, new int[] {8, 4, 4}, new int[] {16, 4, 1});

  /**
   * The best that local memory has room for.
   *
   * @throws UnsupportedException if there is none
   */
  static AttentionTile of(Attention attention, ClDevice device) {
    int group = attention.heads() / attention.kvHeads();
    if (device.isProcessor()) {
      int vector = device.floatVector();
      // The accumulators of an item fill the registers: 32 of 16 floats, else 16.
      int queries = vector == 16 ? 8 : 4;
      int least = Math.ceilDiv(group, queries);
      for (int lanes = Math.max(MOST_QUERY_LANES, least); lanes >= least; lanes--) {
        AttentionTile tile =
            new AttentionTile(1, lanes, queries, 2, vector, 2, lanes * queries / group);
        if (tile.fits(attention, device)) {
          return tile;
        }
      }
    } else {
      int queries = 4;
      for (int[] shape : GRAPHICS) {
        int lanes = Math.max(shape[1], Math.ceilDiv(group, queries));
        int chunks = Math.ceilDiv(attention.valueWidth(), shape[2]);
        int sums = Math.ceilDiv(chunks, shape[0]);
        AttentionTile tile =
            new AttentionTile(shape[0], lanes, queries, 1, shape[2], sums, lanes * queries / group);
        if (tile.fits(attention, device)) {
          return tile;
        }
      }
    }
    throw new UnsupportedException(
        attention.name()
            + " with "
            + group
            + " heads of "
            + attention.keyWidth()
            + " and "
            + attention.valueWidth()
            + " columns on one KV head needs more local memory or larger work-groups than "
            + device.name()
            + " has");
  }

  private boolean fits(Attention attention, ClDevice device) {
    long keyColumns = (long) Math.ceilDiv(attention.keyWidth(), vector) * vector;
    long valueColumns = (long) Math.ceilDiv(attention.valueWidth(), vector) * vector;
    long keys = (long) keyLanes * keyVectors * vector;
    long queries = (long) queryLanes * queriesPerItem;
    long floats =
        queryLanes * (keyColumns * queriesPerItem + 4)
            + queries * keys
            + Math.max(keyColumns * (keys + 4), keys * valueColumns)
            + queries * (keyLanes + 3);
    return floats * Float.BYTES <= device.localBytes()
        && keyLanes * queryLanes <= device.largestGroup();
  }

  Map<String, String> defines() {
    return Map.of(
        "KEY_LANES", String.valueOf(keyLanes),
        "QUERY_LANES", String.valueOf(queryLanes),
        "QUERIES_PER_ITEM", String.valueOf(queriesPerItem),
        "KEY_VECTORS", String.valueOf(keyVectors),
        "VECTOR", String.valueOf(vector),
        "SUM_VECTORS", String.valueOf(sumVectors),
        "TILE_ROWS", String.valueOf(rows));
  }

  Grid grid(int kvHeads) {
    return new Grid(
        new long[] {keyLanes, queryLanes},
        (count, groups) -> {
          groups[0] = kvHeads;
          groups[1] = Math.ceilDiv(count, rows);
        });
  }
}
