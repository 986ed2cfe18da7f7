package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The asynchronous copies that a warp's threads have begun and not waited for. */
final class AsyncCopies {
  private static final int MAX_PENDING = 4096;

  /** What an instruction began, for the lanes that have not waited yet. */
  static final class Pending {
    /** The host's addresses in shared memory. */
    final long[] targets = new long[Warp.LANES];

    private final long[] low = new long[Warp.LANES];
    private final long[] high = new long[Warp.LANES];

    /** How many groups a lane had committed before. */
    private final int[] groups = new int[Warp.LANES];

    private int lanes;
    private int bytes;

    /** How many copies the warp had begun before. */
    private long number;

    /** Takes what is copied; what is not read is zero. */
    void read(int lane, long address, int count) {
      if (count == 16) {
        low[lane] = Memory.getLong(address);
        high[lane] = Memory.getLong(address + 8);
      } else {
        low[lane] = bytes(address, Math.min(count, 8));
        high[lane] = bytes(address + 8, count - 8);
      }
    }

    private static long bytes(long address, int count) {
      if (count == 4) {
        return Memory.getInt(address) & 0xffff_ffffL;
      }
      long value = 0;
      for (int i = 0; i < count; i++) {
        value |= (Memory.getByte(address + i) & 0xffL) << 8 * i;
      }
      return value;
    }

    private void deliver(Warp warp, int lane, Instruction instruction) {
      long to = targets[lane];
      MemoryInstruction.checkRace(
          instruction,
          warp,
          lane,
          (int) (to - warp.block.sharedAddress()),
          bytes,
          MemoryInstruction.Access.WRITE);
      if (bytes == 4) {
        Memory.set(to, (int) low[lane]);
        return;
      }
      Memory.set(to, low[lane]);
      if (bytes == 16) {
        Memory.set(to + 8, high[lane]);
      }
    }
  }

  private final List<Pending> pending = new ArrayList<>();
  private final List<Pending> spare = new ArrayList<>();
  private final int[] committed = new int[Warp.LANES];
  private long begun;

  /** Another block begins; what nobody waited for is forgotten. */
  void start() {
    if (!pending.isEmpty()) {
      spare.addAll(pending);
      pending.clear();
    }
    Arrays.fill(committed, 0);
  }

  Pending begin(Warp warp, int lanes, int bytes, Instruction instruction) {
    if (pending.size() >= MAX_PENDING) {
      throw warp.block.fault(
          CudaError.LAUNCH_FAILED,
          instruction,
          warp,
          Integer.numberOfTrailingZeros(lanes),
          MAX_PENDING + " copies have begun, and nobody has waited for them");
    }
    Pending copy = spare.isEmpty() ? new Pending() : spare.removeLast();
    copy.lanes = lanes;
    copy.bytes = bytes;
    copy.number = begun++;
    System.arraycopy(committed, 0, copy.groups, 0, Warp.LANES);
    pending.add(copy);
    return copy;
  }

  /** How many copies the warp has begun. */
  long begun() {
    return begun;
  }

  /**
   * Delivers a lane's copies up to one, for an mbarrier.
   *
   * @param count how many the warp had begun then
   */
  void deliverBegun(Warp warp, int lane, long count, Instruction instruction) {
    for (Pending copy : pending) {
      if (copy.number < count && (copy.lanes >>> lane & 1) != 0) {
        copy.deliver(warp, lane, instruction);
        copy.lanes &= ~(1 << lane);
      }
    }
    forgetDelivered();
  }

  private void deliver(Warp warp, int lanes, int kept, boolean all, Instruction instruction) {
    boolean finished = false;
    for (Pending copy : pending) {
      for (int m = copy.lanes & lanes; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        if (all || copy.groups[lane] < committed[lane] - kept) {
          copy.deliver(warp, lane, instruction);
          copy.lanes &= ~(1 << lane);
        }
      }
      finished |= copy.lanes == 0;
    }
    if (finished) {
      forgetDelivered();
    }
  }

  private void forgetDelivered() {
    for (Pending copy : pending) {
      if (copy.lanes == 0) {
        spare.add(copy);
      }
    }
    pending.removeIf(copy -> copy.lanes == 0);
  }

  /** {@code cp.async.commit_group}. */
  static final class Commit extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        warp.copies.committed[Integer.numberOfTrailingZeros(m)]++;
      }
    }
  }

  /** {@code cp.async.wait_group} and {@code wait_all}. */
  static final class Wait extends Instruction {
    private final int kept;
    private final boolean all;

    /**
     * @param kept how many of the latest groups need not be there
     * @param all whether what was not committed is waited for, too
     */
    Wait(int kept, boolean all) {
      this.kept = kept;
      this.all = all;
    }

    @Override
    void run(Warp warp, int mask) {
      warp.copies.deliver(warp, mask, kept, all, this);
    }
  }
}
