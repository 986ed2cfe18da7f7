package dev.kancil.cuda.emulator;

/**
 * {@code ldmatrix}: matrices of 8 × 8 halves from shared memory. Lanes 0 to 7 give the addresses of
 * the first one's rows of 16 bytes, lanes 8 to 15 those of the second, and so on. Lane 4r + q gets
 * elements 2q and 2q + 1 of row r; transposed, of column r. A row counts as read by the lane that
 * gives its address.
 */
final class LoadMatrix extends MemoryInstruction {
  private static final int ROW_BYTES = 16;

  private final boolean transposed;
  private final int[] targets;

  LoadMatrix(MemoryDecoder.Place place, boolean transposed, int[] targets) {
    super(place.space(), place.base(), place.offset(), ROW_BYTES, Access.READ);
    this.transposed = transposed;
    this.targets = targets;
  }

  @Override
  void run(Warp warp, int mask) {
    if (!warp.gatherAll(mask, this)) {
      return;
    }
    long[] at = locate(warp, targets.length == 4 ? -1 : (1 << 8 * targets.length) - 1);
    for (int i = 0; i < targets.length; i++) {
      if (transposed) {
        loadColumns(warp.ints[targets[i]], at, 8 * i);
      } else {
        loadRows(warp.ints[targets[i]], at, 8 * i);
      }
    }
  }

  private static void loadRows(int[] row, long[] at, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      row[lane] = Memory.getInt(at[first + (lane >> 2)] + (lane & 3) * 4);
    }
  }

  private static void loadColumns(int[] row, long[] at, int first) {
    for (int lane = 0; lane < Warp.LANES; lane++) {
      int low = Memory.getShort(at[first + (lane & 3) * 2] + (lane >> 2) * 2) & 0xffff;
      int high = Memory.getShort(at[first + (lane & 3) * 2 + 1] + (lane >> 2) * 2);
      row[lane] = high << 16 | low;
    }
  }
}
