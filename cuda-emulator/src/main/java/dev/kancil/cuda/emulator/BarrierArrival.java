package dev.kancil.cuda.emulator;

/** {@code bar.arrive} and {@code barrier.arrive}: threads that come to a barrier and go on. */
final class BarrierArrival extends Instruction {
  private final int barrier;
  private final int threads;

  /**
   * @param barrier the row of the barrier's number
   * @param threads the row of the number of threads
   */
  BarrierArrival(int barrier, int threads) {
    this.barrier = barrier;
    this.threads = threads;
  }

  @Override
  void run(Warp warp, int mask) {
    int lane = Integer.numberOfTrailingZeros(mask);
    int number = warp.ints[barrier][lane];
    Barriers.requireNumber(this, warp, lane, number);
    warp.block.arrive(warp, mask, number, warp.ints[threads][lane]);
  }
}
