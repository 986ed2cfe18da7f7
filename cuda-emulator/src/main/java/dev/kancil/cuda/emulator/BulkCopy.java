package dev.kancil.cuda.emulator;

/**
 * {@code cp.async.bulk} from global to shared memory, which completes on an mbarrier. Global memory
 * is read at once; shared memory holds poison until the mbarrier's phase has ended and somebody has
 * asked.
 */
final class BulkCopy extends BulkInstruction {
  /**
   * A copy under way.
   *
   * @param caller who began it
   * @param offset in shared memory
   */
  record Flight(Mbarrier.Caller caller, int offset, byte[] bytes) {
    /** The bytes arrive. */
    void land() {
      Memory.set(caller.warp().block.sharedAddress() + offset, bytes);
    }
  }

  private final MemoryDecoder.Place target;
  private final MemoryDecoder.Place source;
  private final int size;

  /**
   * @param size a row of bytes
   */
  BulkCopy(
      MemoryDecoder.Place target,
      MemoryDecoder.Place source,
      int size,
      MemoryDecoder.Place mbarrier) {
    super(mbarrier, Long.BYTES, Access.ATOMIC);
    this.target = target;
    this.source = source;
    this.size = size;
  }

  @Override
  void run(Warp warp, int mask) {
    long[] mbarriers = locate(warp, mask);
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      Mbarrier.Caller caller = new Mbarrier.Caller(this, warp, lane);
      Mbarrier mbarrier = caller.find(mbarriers[lane]);
      int bytes = size(warp, lane, size);
      int offset = shared(warp, lane, target, bytes);
      long from = global(warp, lane, source, bytes, Access.READ);
      if (bytes > 0) {
        checkOrder(caller, mbarrier, offset, bytes);
        mbarrier.begin(new Flight(caller, offset, Memory.bytes(from, bytes)), caller);
        Memory.poison(warp.block.sharedAddress() + offset, bytes);
      }
    }
  }

  private void checkOrder(Mbarrier.Caller caller, Mbarrier mbarrier, int offset, int bytes) {
    Warp warp = caller.warp();
    ThreadRaceCheck races = warp.block.threadRaces;
    if (races == null) {
      return;
    }
    checkPublished(this, warp, caller.lane(), offset, bytes);
    int other = races.beginCopy(offset, bytes, caller.thread(), mbarrier.number);
    if (other != RaceCheck.NOBODY) {
      throw race(this, warp, caller.lane(), offset, other);
    }
  }
}
