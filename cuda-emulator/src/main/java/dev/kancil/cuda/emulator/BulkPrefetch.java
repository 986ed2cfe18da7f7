package dev.kancil.cuda.emulator;

/** {@code cp.async.bulk.prefetch.L2}: nothing moves, but what is named must be there. */
final class BulkPrefetch extends BulkInstruction {
  private final MemoryDecoder.Place source;
  private final int size;

  /**
   * @param size a row of bytes
   */
  BulkPrefetch(MemoryDecoder.Place source, int size) {
    super(source, UNIT, Access.READ);
    this.source = source;
    this.size = size;
  }

  @Override
  void run(Warp warp, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      global(warp, lane, source, size(warp, lane, size), Access.READ);
    }
  }
}
