package dev.kancil.cuda.emulator;

/** Instructions that end threads, or do nothing. */
final class ControlInstructions {
  private ControlInstructions() {}

  static final class Exit extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      warp.exit(mask);
    }
  }

  /** {@code trap}. */
  static final class Trap extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      throw warp.block.fault(
          CudaError.LAUNCH_FAILED, this, warp, Integer.numberOfTrailingZeros(mask), "a trap");
    }
  }

  /** {@code fence.proxy.async} for shared memory: asynchronous reads come after earlier writes. */
  static final class Publish extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      if (warp.block.races != null) {
        warp.block.races.publish(warp);
      }
    }
  }

  /**
   * {@code fence.mbarrier_init}: copies may complete on the mbarriers that the warp initialised.
   */
  static final class PublishMbarriers extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      warp.block.mbarriers().fence(warp);
    }
  }

  /** Fences and hints: memory is always in order here. */
  static final class Nothing extends Instruction {
    @Override
    void run(Warp warp, int mask) {}
  }
}
