package dev.kancil.cuda.emulator;

/** An instruction for which the lanes of a mask wait for each other. */
abstract class GatheringInstruction extends Instruction {
  private final int members;

  /**
   * @param members the row of masks
   */
  GatheringInstruction(int members) {
    this.members = members;
  }

  /** The mask that a lane gave. */
  final int members(Warp warp, int lane) {
    return warp.ints[members][lane];
  }

  @Override
  final void run(Warp warp, int mask) {
    int all = 0;
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      int own = warp.ints[members][lane];
      if ((own >>> lane & 1) == 0) {
        throw warp.block.fault(
            CudaError.LAUNCH_FAILED,
            this,
            warp,
            lane,
            "the lane is not in its own mask, 0x" + Integer.toHexString(own));
      }
      all |= own;
    }
    if (warp.gather(all, mask, this)) {
      exchange(warp, mask);
    }
  }

  /** All lanes are here. */
  abstract void exchange(Warp warp, int mask);
}
