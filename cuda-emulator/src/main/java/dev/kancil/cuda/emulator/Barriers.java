package dev.kancil.cuda.emulator;

/** Who waits at a block's barriers, and when they go on. */
final class Barriers {
  /** A block has sixteen barriers. */
  static final int COUNT = 16;

  private Barriers() {}

  static void requireNumber(Instruction instruction, Warp warp, int lane, int number) {
    if (number < 0 || number >= COUNT) {
      throw warp.block.fault(
          CudaError.LAUNCH_FAILED, instruction, warp, lane, "there is no barrier " + number);
    }
  }

  static boolean allExited(Warp[] warps) {
    for (Warp warp : warps) {
      if (warp.exited() != warp.existing()) {
        return false;
      }
    }
    return true;
  }

  /** Lets threads go on where all have come; returns whether there were any. */
  static boolean release(Block block, Warp[] warps) {
    int waiting = 0;
    for (Warp warp : warps) {
      waiting |= warp.atBarrier();
    }
    boolean released = false;
    for (int barrier = 0; waiting != 0 && barrier < COUNT; barrier++) {
      released |= release(block, warps, barrier);
    }
    return released;
  }

  /** The same for one barrier. */
  static boolean release(Block block, Warp[] warps, int barrier) {
    int threads = block.arrived(barrier);
    int expected = 0;
    BarrierInstruction first = null;
    int all = warps.length * Warp.LANES;
    for (Warp warp : warps) {
      int lanes = warp.waiting(barrier);
      if (lanes != 0) {
        // Barriers count whole warps, and so the lanes that a last, partial one has not.
        threads += Integer.bitCount(lanes | ~warp.existing());
        if (first == null) {
          first = instruction(block, warp, lanes);
          expected = first.expected(warp, Integer.numberOfTrailingZeros(lanes), all);
        }
      }
    }
    if (first == null) {
      return false;
    }
    if (threads < expected) {
      return false;
    }
    if (first.isForAll()) {
      requireSame(block, warps, barrier, first);
    }
    first.finish(warps, barrier);
    if (block.races != null) {
      block.races.meet(warps, barrier);
    }
    block.forgetArrivals(barrier);
    for (Warp warp : warps) {
      int lanes = warp.waiting(barrier);
      if (lanes != 0) {
        warp.release(lanes);
      }
    }
    return true;
  }

  private static BarrierInstruction instruction(Block block, Warp warp, int lanes) {
    int counter = warp.counter(Integer.numberOfTrailingZeros(lanes));
    return (BarrierInstruction) block.launch.kernel().code()[counter - 1];
  }

  /** A barrier of all threads must be one instruction: threads in two loops would mix them up. */
  private static void requireSame(
      Block block, Warp[] warps, int barrier, BarrierInstruction first) {
    for (Warp warp : warps) {
      for (int m = warp.waiting(barrier); m != 0; m &= m - 1) {
        BarrierInstruction other = instruction(block, warp, Integer.lowestOneBit(m));
        if (other != first) {
          throw block.fault(
              CudaError.LAUNCH_FAILED,
              first,
              warp,
              Integer.numberOfTrailingZeros(m),
              "divergent barrier: this thread waits at another, " + other);
        }
      }
    }
  }

  /** Threads wait at barriers that others never reach. */
  static KernelFault stuck(Block block, Warp[] warps) {
    int waiting = 0;
    int exited = 0;
    int existing = 0;
    String missing = "";
    Instruction instruction = null;
    for (Warp warp : warps) {
      existing += Integer.bitCount(warp.existing());
      exited += Integer.bitCount(warp.exited());
      int lanes = warp.atBarrier();
      waiting += Integer.bitCount(lanes);
      if (lanes != 0 && instruction == null) {
        instruction = instruction(block, warp, lanes);
      }
      int absent = warp.existing() & ~lanes;
      if (absent != 0 && missing.isEmpty()) {
        int thread = warp.index * Warp.LANES + Integer.numberOfTrailingZeros(absent);
        missing = "; thread " + block.threadName(thread) + " does not";
      }
    }
    String message =
        "divergent barrier: "
            + waiting
            + " of "
            + existing
            + " threads wait, "
            + exited
            + " have exited"
            + missing;
    if (instruction == null) {
      throw new IllegalStateException(message);
    }
    return block.fault(CudaError.LAUNCH_FAILED, instruction, message);
  }
}
