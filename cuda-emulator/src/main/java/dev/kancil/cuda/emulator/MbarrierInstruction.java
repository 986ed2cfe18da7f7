package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.Mbarrier.Caller;

/** What threads do with an mbarrier, one lane after the other. */
abstract class MbarrierInstruction extends MemoryInstruction {
  MbarrierInstruction(MemoryDecoder.Place place, Access access) {
    super(place.space(), place.base(), place.offset(), Long.BYTES, access);
  }

  @Override
  void run(Warp warp, int mask) {
    long[] at = locate(warp, mask);
    begin(warp, mask, at);
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      run(new Caller(this, warp, lane), at[lane]);
    }
  }

  /** Before the first lane's turn. */
  void begin(Warp warp, int mask, long[] at) {}

  /**
   * @param at the host's address of the mbarrier
   */
  abstract void run(Caller caller, long at);

  /** The lanes that name the same mbarrier as the first one. */
  static int same(int lanes, long[] at) {
    int first = Integer.numberOfTrailingZeros(lanes);
    int same = 0;
    for (int m = lanes; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      same |= at[lane] == at[first] ? 1 << lane : 0;
    }
    return same;
  }

  /** {@code init}. */
  static final class Initialise extends MbarrierInstruction {
    private final int count;

    /**
     * @param count a row of how many arrivals a phase expects
     */
    Initialise(MemoryDecoder.Place place, int count) {
      super(place, Access.WRITE);
      this.count = count;
    }

    @Override
    void run(Caller caller, long at) {
      int arrivals = caller.warp().ints[count][caller.lane()];
      caller.warp().block.mbarriers().initialise(at, caller.offset(at), arrivals, caller);
    }
  }

  /** {@code inval}. */
  static final class Invalidate extends MbarrierInstruction {
    Invalidate(MemoryDecoder.Place place) {
      super(place, Access.WRITE);
    }

    @Override
    void run(Caller caller, long at) {
      caller.warp().block.mbarriers().invalidate(at, caller.offset(at), caller);
    }
  }

  /** {@code expect_tx} and {@code complete_tx}. */
  static final class Expect extends MbarrierInstruction {
    private final int bytes;
    private final boolean completes;

    /**
     * @param bytes a row
     */
    Expect(MemoryDecoder.Place place, int bytes, boolean completes) {
      super(place, Access.ATOMIC);
      this.bytes = bytes;
      this.completes = completes;
    }

    @Override
    void run(Caller caller, long at) {
      int count = caller.bytes(bytes);
      caller.find(at).expect(completes ? -count : count, caller);
    }
  }

  /** {@code cp.async.mbarrier.arrive}. */
  static final class ArriveLate extends MbarrierInstruction {
    private final boolean isExtra;

    /**
     * @param isExtra whether the phase did not expect it
     */
    ArriveLate(MemoryDecoder.Place place, boolean isExtra) {
      super(place, Access.ATOMIC);
      this.isExtra = isExtra;
    }

    @Override
    void run(Caller caller, long at) {
      caller.find(at).arriveLate(isExtra, caller);
    }
  }

  /**
   * How threads arrive.
   *
   * @param drops whether later phases expect fewer arrivals
   * @param completes whether these may be a phase's last arrivals
   * @param isRelaxed whether they order nothing
   */
  record Arrival(boolean drops, boolean completes, boolean isRelaxed) {}

  /** {@code arrive} and {@code arrive_drop}. */
  static final class Arrive extends MbarrierInstruction {
    private final Arrival arrival;
    private final int state;
    private final int count;
    private final int bytes;

    /**
     * @param state the row that an mbarrier's state goes to
     * @param count a row of how many arrivals each lane makes
     * @param bytes a row of how many bytes are expected from now on, too; -1: none
     */
    Arrive(MemoryDecoder.Place place, Arrival arrival, int state, int count, int bytes) {
      super(place, Access.ATOMIC);
      this.arrival = arrival;
      this.state = state;
      this.count = count;
      this.bytes = bytes;
    }

    @Override
    void begin(Warp warp, int mask, long[] at) {
      int left = arrival.isRelaxed ? 0 : mask;
      while (left != 0) {
        int same = same(left, at);
        int lane = Integer.numberOfTrailingZeros(left);
        new Caller(this, warp, lane).find(at[lane]).release(warp, same);
        left &= ~same;
      }
    }

    @Override
    void run(Caller caller, long at) {
      Mbarrier mbarrier = caller.find(at);
      Warp warp = caller.warp();
      int lane = caller.lane();
      if (bytes >= 0) {
        mbarrier.expect(caller.bytes(bytes), caller);
      }
      warp.longs[state][lane] = mbarrier.state();
      mbarrier.arrive(warp.ints[count][lane], arrival.drops, arrival.completes, caller);
    }
  }

  /** {@code test_wait} and {@code try_wait}, which never waits here: it lets others go on. */
  static final class Test extends MemoryInstruction {
    private final int result;
    private final int phase;
    private final boolean isParity;
    private final boolean isRelaxed;

    /**
     * @param result the row of predicates that it goes to
     * @param phase a row of parities or of states
     */
    Test(MemoryDecoder.Place place, int result, int phase, boolean isParity, boolean isRelaxed) {
      super(place.space(), place.base(), place.offset(), Long.BYTES, Access.ATOMIC);
      this.result = result;
      this.phase = phase;
      this.isParity = isParity;
      this.isRelaxed = isRelaxed;
    }

    @Override
    void run(Warp warp, int mask) {
      long[] at = locate(warp, mask);
      int ended = 0;
      for (int left = mask; left != 0; ) {
        int same = MbarrierInstruction.same(left, at);
        int here = 0;
        Mbarrier mbarrier = null;
        for (int m = same; m != 0; m &= m - 1) {
          int lane = Integer.numberOfTrailingZeros(m);
          Caller caller = new Caller(this, warp, lane);
          mbarrier = mbarrier == null ? caller.find(at[lane]) : mbarrier;
          boolean hasEnded =
              isParity
                  ? mbarrier.hasEnded(warp.ints[phase][lane], caller)
                  : mbarrier.hasEnded(warp.longs[phase][lane], caller);
          here |= hasEnded ? 1 << lane : 0;
        }
        if (mbarrier != null && here != 0 && !isRelaxed) {
          mbarrier.acquire(warp, here);
        }
        if (mbarrier != null && here != same) {
          warp.block.mbarriers().noteAsked(mbarrier);
        }
        ended |= here;
        left &= ~same;
      }
      warp.keepPredicate(result, mask, ended);
      if (ended != mask) {
        warp.poll(mask & ~ended);
      }
    }
  }

  /** {@code pending_count}. */
  static final class PendingCount extends Instruction {
    private final int result;
    private final int state;

    PendingCount(int result, int state) {
      this.result = result;
      this.state = state;
    }

    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        warp.ints[result][lane] = Mbarrier.pendingCount(warp.longs[state][lane]);
      }
    }
  }
}
