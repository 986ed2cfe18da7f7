package dev.kancil.backend.host;

import java.lang.foreign.MemorySegment;
import java.util.stream.LongStream;

/**
 * How a device's kernels lay a weight for themselves: groups of rows (experts, or all rows as one),
 * each in tiles of its own.
 *
 * @param rows of a group
 * @param rowBytes of a row, as it is stored
 * @param tileRows rows of a tile; the last one of a group may have fewer
 * @param tileBytes of a tile
 */
public record Packing(
    int groups, int rows, long rowBytes, int tileRows, long tileBytes, RowPacking tiles) {
  /** Tiles that a thread lays at once. */
  private static final int RUN = 8;

  /** Of what a weight is made of, about so much is kept in memory beside what becomes of it. */
  private static final long AT_ONCE = 16L << 20;

  /** Lays some tiles of one group. */
  @FunctionalInterface
  public interface RowPacking {
    /**
     * @param from the tensor's data
     * @param at of the first row in {@code from}
     * @param count of rows, of whole tiles unless they are the last
     * @param to zeros
     * @param target of the first tile in {@code to}
     */
    void pack(MemorySegment from, long at, int count, MemorySegment to, long target);
  }

  /** What the laid weight takes. */
  public long bytes() {
    return Math.multiplyExact(groupBytes(), groups);
  }

  private long groupBytes() {
    return Math.multiplyExact((long) Math.ceilDiv(rows, tileRows), tileBytes);
  }

  /**
   * Lays the weight, on all threads of the common pool. What is mapped is given back to the system
   * meanwhile, so that peak memory is hardly more than the laid weights'.
   *
   * @param from the tensor's data
   * @param to {@link #bytes} of zeros
   */
  public void pack(MemorySegment from, MemorySegment to) {
    int runRows = RUN * tileRows;
    long runs = Math.ceilDiv(rows, runRows);
    long atOnce =
        Math.max(AT_ONCE / (runRows * rowBytes), 4L * Runtime.getRuntime().availableProcessors());
    for (long begin = 0; begin < runs * groups; begin += atOnce) {
      long end = Math.min(runs * groups, begin + atOnce);
      LongStream.range(begin, end)
          .parallel()
          .forEach(
              run -> {
                int first = (int) (run % runs) * runRows;
                tiles.pack(
                    from,
                    (run / runs * rows + first) * rowBytes,
                    Math.min(runRows, rows - first),
                    to,
                    run / runs * groupBytes() + first / tileRows * tileBytes);
              });
      if (from.isMapped()) {
        long firstByte = rowsBefore(begin, runs) * rowBytes;
        from.asSlice(firstByte, rowsBefore(end, runs) * rowBytes - firstByte).unload();
      }
    }
  }

  private long rowsBefore(long run, long runs) {
    return run / runs * rows + run % runs * RUN * tileRows;
  }
}
