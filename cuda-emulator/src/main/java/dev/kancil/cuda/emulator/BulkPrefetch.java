package dev.kancil.cuda.emulator;

/** {@code cp.async.bulk.prefetch.L2}: nothing moves, but what is named must be there. */
final class BulkPrefetch extends MemoryInstruction {
  private static final int UNIT = 16;

  private final Form.Row source;
  private final long offset;
  private final int size;

  /**
   * @param size a row of bytes
   */
  BulkPrefetch(MemoryDecoder.Place place, int size) {
    super(place.space(), place.base(), place.offset(), UNIT, Access.READ);
    source = place.base();
    offset = place.offset();
    this.size = size;
  }

  @Override
  void run(Warp warp, int mask) {
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      long address = warp.longs[source.index()][lane] + offset;
      int bytes = warp.ints[size][lane];
      if (address % UNIT != 0) {
        throw misaligned(warp, lane, address);
      }
      if (bytes < 0 || bytes % UNIT != 0) {
        throw warp.block.fault(
            CudaError.LAUNCH_FAILED,
            this,
            warp,
            lane,
            Integer.toUnsignedString(bytes) + " bytes are not a multiple of " + UNIT);
      }
      if (bytes > 0) {
        find(warp, lane, address, bytes, Access.READ);
      }
    }
  }
}
