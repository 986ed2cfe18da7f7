package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * The bulk copies from shared to global memory that a warp's threads have begun. Global memory
 * holds poison until the thread has waited for the copy, or the block has ended; when the thread
 * has waited for its reads, nothing that it reads may have changed.
 */
final class BulkStores {
  private static final int MAX_PENDING = 4096;

  /** A copy that was begun. */
  private static final class Pending {
    private final Mbarrier.Caller caller;
    private final int offset;
    private final byte[] bytes;
    private final long to;

    /** How many groups the thread had committed before. */
    private final int group;

    private boolean isRead;

    private Pending(Mbarrier.Caller caller, int offset, byte[] bytes, long to, int group) {
      this.caller = caller;
      this.offset = offset;
      this.bytes = bytes;
      this.to = to;
      this.group = group;
    }

    /** Shared memory has been read. */
    private void finishReading() {
      if (isRead) {
        return;
      }
      Warp warp = caller.warp();
      MemoryInstruction.checkRace(
          caller.instruction(),
          warp,
          caller.lane(),
          offset,
          bytes.length,
          MemoryInstruction.Access.READ);
      byte[] now = Memory.bytes(warp.block.sharedAddress() + offset, bytes.length);
      int changed = Arrays.mismatch(bytes, now);
      if (changed >= 0) {
        throw caller.fault(
            "shared memory at offset "
                + (offset + changed)
                + " has changed before the thread waited");
      }
      isRead = true;
    }
  }

  private final List<Pending> pending = new ArrayList<>();
  private final int[] committed = new int[Warp.LANES];

  /** Another block begins. */
  void start() {
    pending.clear();
    Arrays.fill(committed, 0);
  }

  private void begin(Mbarrier.Caller caller, int offset, int bytes, long to) {
    if (pending.size() >= MAX_PENDING) {
      throw caller.fault(MAX_PENDING + " copies have begun, and nobody has waited for them");
    }
    byte[] read = Memory.bytes(caller.warp().block.sharedAddress() + offset, bytes);
    pending.add(new Pending(caller, offset, read, to, committed[caller.lane()]));
    Memory.poison(to, bytes);
  }

  private void wait(int lanes, int kept, boolean readsOnly) {
    for (Iterator<Pending> all = pending.iterator(); all.hasNext(); ) {
      Pending copy = all.next();
      int lane = copy.caller.lane();
      if ((lanes >>> lane & 1) != 0 && copy.group < committed[lane] - kept) {
        copy.finishReading();
        if (!readsOnly) {
          Memory.set(copy.to, copy.bytes);
          all.remove();
        }
      }
    }
  }

  /** All threads have ended. */
  void finish() {
    for (Pending copy : pending) {
      if (!copy.isRead) {
        throw copy.caller.fault(
            "the block has ended, and nobody has waited until this copy had read shared memory");
      }
      Memory.set(copy.to, copy.bytes);
    }
    pending.clear();
  }

  /** {@code cp.async.bulk} from shared to global memory. */
  static final class Begin extends BulkInstruction {
    private final MemoryDecoder.Place target;
    private final MemoryDecoder.Place source;
    private final int size;

    /**
     * @param size a row of bytes
     */
    Begin(MemoryDecoder.Place target, MemoryDecoder.Place source, int size) {
      super(target, UNIT, Access.WRITE);
      this.target = target;
      this.source = source;
      this.size = size;
    }

    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int bytes = size(warp, lane, size);
        int offset = shared(warp, lane, source, bytes);
        long to = global(warp, lane, target, bytes, Access.WRITE);
        if (bytes > 0) {
          checkRace(this, warp, lane, offset, bytes, Access.READ);
          checkPublished(this, warp, lane, offset, bytes);
          warp.stores().begin(new Mbarrier.Caller(this, warp, lane), offset, bytes, to);
        }
      }
    }
  }

  /** {@code cp.async.bulk.commit_group}. */
  static final class Commit extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        warp.stores().committed[Integer.numberOfTrailingZeros(m)]++;
      }
    }
  }

  /** {@code cp.async.bulk.wait_group}. */
  static final class Wait extends Instruction {
    private final int kept;
    private final boolean readsOnly;

    /**
     * @param kept how many of the latest groups may be under way
     * @param readsOnly whether only shared memory must have been read
     */
    Wait(int kept, boolean readsOnly) {
      this.kept = kept;
      this.readsOnly = readsOnly;
    }

    @Override
    void run(Warp warp, int mask) {
      warp.stores().wait(mask, kept, readsOnly);
    }
  }
}
