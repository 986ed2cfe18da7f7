package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.Grid;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.op.Attention;
import dev.kancil.tensor.DataType;
import java.util.Map;
import java.util.Optional;

/**
 * How blocks divide attention of rows of one sequence; see {@code attention_tiles.h}.
 *
 * @param warps of a block
 * @param rows of a tile
 * @param valuePart columns of values of a block
 * @param parts KV heads, times the parts of their columns
 * @param sharedBytes of a block
 */
record AttentionTiles(int warps, int rows, int valuePart, int parts, int sharedBytes) {
  private static final int WARPS = 4;
  private static final int QUERIES_OF_WARP = 16;

  /** As many as a warp's registers hold sums for. */
  private static final int MOST_VALUE_PART = 256;

  /** Keys whose queries stay in registers. */
  private static final int MOST_WIDTH_AT_HAND = 128;

  /** Keys of a page. */
  private static final int KEYS = 32;

  /** Shared memory beside what a launch asks for. */
  private static final int DECLARED_BYTES = 64;

  /** Whether tensor cores can multiply a cache's numbers, as they are or as halves. */
  static boolean canMultiply(Attention attention, StateGroup cache, CudaTraits traits) {
    return attention.keyWidth() % 16 == 0
        && attention.valueWidth() % 16 == 0
        && cache.keyType() == cache.valueType()
        && (cache.keyType() == DataType.F16
            || cache.keyType() == DataType.F8_E4M3
            || (cache.keyType() == DataType.BF16 && traits.hasBfloats()));
  }

  /** The shape for a device; none where its tensor cores or its shared memory won't do. */
  static Optional<AttentionTiles> of(Attention attention, StateGroup cache, CudaTraits traits) {
    int group = attention.heads() / attention.kvHeads();
    int rows = WARPS * QUERIES_OF_WARP / group;
    int width = attention.valueWidth();
    int valueParts = Math.ceilDiv(width, MOST_VALUE_PART);
    int valuePart = width / valueParts;
    if (!canMultiply(attention, cache, traits)
        || rows == 0
        || valuePart * valueParts != width
        || valuePart % 16 != 0) {
      return Optional.empty();
    }
    long pages = 2L * KEYS * (2L * attention.keyWidth() + 16 + 2L * valuePart + 16);
    long copied =
        cache.keyType() == DataType.F8_E4M3 ? (long) KEYS * (attention.keyWidth() + valuePart) : 0;
    long queries =
        attention.keyWidth() <= MOST_WIDTH_AT_HAND
            ? 0
            : 4L * WARPS * QUERIES_OF_WARP * attention.keyWidth();
    if (pages + copied + queries + DECLARED_BYTES > traits.sharedBytesPerBlock()) {
      return Optional.empty();
    }
    return Optional.of(
        new AttentionTiles(
            WARPS,
            rows,
            valuePart,
            attention.kvHeads() * valueParts,
            Math.toIntExact(pages + copied + queries)));
  }

  Map<String, String> defines() {
    return Map.of(
        "WARPS",
        String.valueOf(warps),
        "TILE_ROWS",
        String.valueOf(rows),
        "VALUE_PART",
        String.valueOf(valuePart));
  }

  Grid grid() {
    return new Grid(
        new long[] {32L * warps, 1},
        (count, groups) -> {
          groups[0] = parts;
          groups[1] = Math.ceilDiv(count, rows);
        },
        sharedBytes);
  }
}
