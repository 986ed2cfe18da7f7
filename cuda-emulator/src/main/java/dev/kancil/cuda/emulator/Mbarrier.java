package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An mbarrier object (PTX ISA, "Contents of the mbarrier object"): a phase ends when as many
 * arrivals have come as were expected, and as many bytes. What asynchronous copies bring, and
 * arrivals that wait for them, come as late as they can: when a thread asks a second time whether a
 * phase has ended, and they would end it.
 */
final class Mbarrier {
  /** The largest number of arrivals, and of bytes under way. */
  static final int MAX_COUNT = (1 << 20) - 1;

  private static final int NOTHING_HELPS = -1;
  private static final int PHASE_SHIFT = 40;
  private static final int PLACE_SHIFT = 20;
  private static final int PHASE_MASK = (1 << 24) - 1;

  /** Who does something to an mbarrier. */
  record Caller(Instruction instruction, Warp warp, int lane) {
    KernelFault fault(String message) {
      return warp.block.fault(CudaError.LAUNCH_FAILED, instruction, warp, lane, message);
    }

    int thread() {
      return warp.index * Warp.LANES + lane;
    }

    /** Where in shared memory an address of the host lies; generic addresses may be elsewhere. */
    int offset(long at) {
      long offset = at - warp.block.sharedAddress();
      if (offset < 0 || offset >= warp.block.launch.sharedBytes()) {
        throw fault("mbarriers lie in shared memory");
      }
      return (int) offset;
    }

    /** The mbarrier at an address of the host. */
    Mbarrier find(long at) {
      return warp.block.mbarriers().find(at, offset(at), this);
    }

    /** A number of bytes to expect or to complete. */
    int bytes(int row) {
      int count = warp.ints[row][lane];
      if (count < 0 || count > MAX_COUNT) {
        throw fault(Integer.toUnsignedString(count) + " bytes, not 0 to " + MAX_COUNT);
      }
      return count;
    }
  }

  /**
   * An arrival that comes when a thread's copies have arrived.
   *
   * @param copies how many its warp had begun
   * @param moment to the race check
   */
  private record Late(Caller caller, long copies, int moment) {
    void deliver() {
      caller.warp.copies.deliverBegun(caller.warp, caller.lane, copies, caller.instruction);
    }
  }

  /** Where it lies in shared memory. */
  final int offset;

  /** Which one it is of those that the block has initialised. */
  final int number;

  private final Caller origin;
  private final @Nullable ThreadRaceCheck races;
  private final ThreadRaceCheck.@Nullable Order arriving;
  private final ThreadRaceCheck.@Nullable Order ended;
  private final long initialised;
  private final List<BulkCopy.Flight> copies = new ArrayList<>();
  private final List<Late> late = new ArrayList<>();
  private int expected;
  private int pending;
  private int bytes;
  private int phase;
  private boolean wasAsked;
  private boolean isFenced;

  Mbarrier(int offset, int number, int count, Caller origin) {
    this.offset = offset;
    this.number = number;
    this.origin = origin;
    requireCount(count, origin);
    expected = count;
    pending = count;
    races = origin.warp.block.threadRaces;
    arriving = races == null ? null : races.order();
    ended = races == null ? null : races.order();
    initialised = races == null ? 0 : races.lastWrite(offset);
  }

  static void requireCount(int count, Caller caller) {
    if (count < 1 || count > MAX_COUNT) {
      throw caller.fault(Integer.toUnsignedString(count) + " arrivals, not 1 to " + MAX_COUNT);
    }
  }

  /** The phase and what is pending, as instructions return it: only they know what it means. */
  long state() {
    return (long) (phase & PHASE_MASK) << PHASE_SHIFT
        | (long) (offset / Long.BYTES) << PLACE_SHIFT
        | pending;
  }

  /** {@code mbarrier.pending_count}. */
  static int pendingCount(long state) {
    return (int) state & MAX_COUNT;
  }

  /** Some threads of a warp will arrive: what they did before comes before the phase's end. */
  void release(Warp warp, int lanes) {
    if (races != null && arriving != null) {
      races.release(warp, lanes, arriving);
    }
  }

  /** Some threads of a warp have seen a phase's end. */
  void acquire(Warp warp, int lanes) {
    if (races != null && ended != null) {
      races.acquire(warp, lanes, ended);
    }
  }

  /**
   * Arrivals of one thread.
   *
   * @param drops whether later phases expect so many fewer
   * @param completes whether they may be the phase's last ones
   */
  void arrive(int count, boolean drops, boolean completes, Caller caller) {
    requireCount(count, caller);
    if (count > pending - late.size()) {
      throw caller.fault(
          count
              + " arrivals, but phase "
              + describe()
              + ": others have come more often than it says");
    }
    if (!completes && count == pending && bytes == 0) {
      throw caller.fault("noComplete, but these are the last arrivals of the phase");
    }
    pending -= count;
    expected -= drops ? count : 0;
    endPhase();
  }

  /** {@code expect_tx}, and {@code complete_tx} with a negative number. */
  void expect(int count, Caller caller) {
    requireBytes((long) bytes + count, caller);
    bytes += count;
    endPhase();
  }

  private void requireBytes(long count, Caller caller) {
    if (count > MAX_COUNT || count - bytesUnderWay() < -MAX_COUNT) {
      throw caller.fault(
          "the count of bytes, "
              + bytes
              + ", overflows: it may be from -"
              + MAX_COUNT
              + " to "
              + MAX_COUNT);
    }
  }

  private long bytesUnderWay() {
    long sum = 0;
    for (BulkCopy.Flight copy : copies) {
      sum += copy.bytes().length;
    }
    return sum;
  }

  /**
   * A copy begins that completes here.
   *
   * @throws KernelFault if the count of bytes could overflow, or nothing has published the mbarrier
   */
  void begin(BulkCopy.Flight copy, Caller caller) {
    boolean isPublished = races == null || races.isPublished(initialised, caller.warp.index);
    if (!isFenced && !isPublished) {
      throw caller.fault(
          "no fence.proxy.async or fence.mbarrier_init lies between this and mbarrier.init of "
              + offset);
    }
    copies.add(copy);
    requireBytes(bytes, caller);
  }

  /** Whoever uses it has waited for its initialisation. */
  void requireOrder(Caller caller) {
    if (races != null && !races.isOrdered(initialised, caller.thread())) {
      throw MemoryInstruction.race(
          caller.instruction, caller.warp, caller.lane, offset, origin.thread());
    }
  }

  /** {@code fence.mbarrier_init} of a warp. */
  void fence(Warp warp) {
    isFenced |= origin.warp == warp;
  }

  /**
   * An arrival that comes when the thread's copies have arrived.
   *
   * @param isExtra whether it is one that the phase did not expect
   */
  void arriveLate(boolean isExtra, Caller caller) {
    if (isExtra && pending == MAX_COUNT) {
      throw caller.fault("more than " + MAX_COUNT + " arrivals are pending");
    }
    pending += isExtra ? 1 : 0;
    if (late.size() == pending) {
      throw caller.fault(
          "an arrival, but phase " + describe() + ": others have come more often than it says");
    }
    int moment = races == null ? 0 : races.moment();
    late.add(new Late(caller, caller.warp.copies.begun(), moment));
  }

  /** Whether the phase with a parity has ended. */
  boolean hasEnded(int parity, Caller caller) {
    if (parity != 0 && parity != 1) {
      throw caller.fault("a parity of " + Integer.toUnsignedString(parity) + ", not 0 or 1");
    }
    return (phase & 1) != parity || settle();
  }

  /** Whether the phase of a state has ended. */
  boolean hasEnded(long state, Caller caller) {
    if ((state >>> PLACE_SHIFT & MAX_COUNT) != offset / Long.BYTES) {
      throw caller.fault("this is not a state of the mbarrier at offset " + offset);
    }
    int behind = phase - (int) (state >>> PHASE_SHIFT) & PHASE_MASK;
    if (behind > 1) {
      throw caller.fault(
          "a state of a phase that ended "
              + behind
              + " phases ago: only the last one's end can be waited for");
    }
    return behind == 1 || settle();
  }

  /** Threads have asked in vain: the next who ask shall have what is under way. */
  void noteAsked() {
    wasAsked |= needed() != NOTHING_HELPS;
  }

  /** How many of the copies under way it takes to end the phase. */
  private int needed() {
    int needed = 0;
    int left = bytes;
    while (left != 0 && needed < copies.size()) {
      left -= copies.get(needed++).bytes().length;
    }
    return left == 0 && pending == late.size() ? needed : NOTHING_HELPS;
  }

  /** Ends the phase if that takes nothing but what is under way, and somebody has asked before. */
  private boolean settle() {
    int needed = needed();
    if (needed == NOTHING_HELPS || !wasAsked) {
      return false;
    }
    for (int i = 0; i < needed; i++) {
      BulkCopy.Flight copy = copies.get(i);
      copy.land();
      bytes -= copy.bytes().length;
      if (races != null && arriving != null) {
        races.endCopy(copy.offset(), copy.bytes().length, number, arriving);
      }
    }
    copies.subList(0, needed).clear();
    for (Late arrival : late) {
      if (races != null && arriving != null) {
        races.releaseLate(arrival.caller.thread(), arrival.moment, arriving, arrival::deliver);
      } else {
        arrival.deliver();
      }
      pending--;
    }
    late.clear();
    endPhase();
    return true;
  }

  private void endPhase() {
    origin.warp.block.mbarriers().noteChange();
    if (pending == 0 && bytes == 0) {
      phase++;
      pending = expected;
      wasAsked = false;
      if (races != null && arriving != null && ended != null) {
        races.endPhase(arriving, ended);
      }
    }
  }

  /** A copy that has not arrived; null if all have. */
  BulkCopy.@Nullable Flight underWay() {
    return copies.isEmpty() ? null : copies.getFirst();
  }

  /** The phase and what it lacks. */
  String describe() {
    long flying = bytesUnderWay();
    return phase
        + " of the mbarrier at offset "
        + offset
        + " lacks "
        + pending
        + " arrivals and "
        + bytes
        + " bytes"
        + (flying == 0 ? "" : ", " + flying + " bytes are under way")
        + (late.isEmpty() ? "" : ", " + late.size() + " arrivals wait for copies");
  }
}
