package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A block's mbarriers, and whether threads wait for them in vain. */
final class Mbarriers {
  /** What memory holds where an mbarrier is; nobody but the instructions for them may change it. */
  private static final long CONTENT = 0x6b61_6e63_696c_6d62L;

  /** So often all may ask in vain before nobody is taken to change anything. */
  private static final int FRUITLESS_ROUNDS = 4096;

  private static final int NAMED = 4;

  private final Block block;
  private final Map<Integer, Mbarrier> byOffset = new LinkedHashMap<>();
  private final List<Mbarrier> asked = new ArrayList<>();
  private int initialised;
  private long changes;
  private long changesBefore;
  private int fruitless;

  Mbarriers(Block block) {
    this.block = block;
  }

  /** Another block begins. */
  void start() {
    byOffset.clear();
    asked.clear();
    initialised = 0;
    fruitless = 0;
  }

  /**
   * {@code mbarrier.init}.
   *
   * @param at the host's address
   */
  void initialise(long at, int offset, int count, Mbarrier.Caller caller) {
    if (byOffset.containsKey(offset)) {
      throw caller.fault(
          "there is an mbarrier at offset " + offset + " already: no mbarrier.inval came before");
    }
    byOffset.put(offset, new Mbarrier(offset, initialised++, count, caller));
    Memory.set(at, CONTENT);
    changes++;
  }

  /** {@code mbarrier.inval}. */
  void invalidate(long at, int offset, Mbarrier.Caller caller) {
    Mbarrier barrier = find(at, offset, caller);
    if (barrier.underWay() != null) {
      throw caller.fault("a bulk copy is under way that completes on the mbarrier");
    }
    byOffset.remove(offset);
    Memory.set(at, Warp.LONG_POISON);
    changes++;
  }

  Mbarrier find(long at, int offset, Mbarrier.Caller caller) {
    Mbarrier barrier = byOffset.get(offset);
    if (barrier == null) {
      throw caller.fault(
          "there is no mbarrier at offset "
              + offset
              + ": it was not initialised, or was invalidated");
    }
    if (Memory.getLong(at) != CONTENT) {
      throw caller.fault("something else was written where the mbarrier is, at offset " + offset);
    }
    barrier.requireOrder(caller);
    return barrier;
  }

  /** {@code fence.mbarrier_init}. */
  void fence(Warp warp) {
    for (Mbarrier barrier : byOffset.values()) {
      barrier.fence(warp);
    }
  }

  /** Something that threads may wait for. */
  void noteChange() {
    changes++;
  }

  /** A thread has asked in vain. */
  void noteAsked(Mbarrier barrier) {
    barrier.noteAsked();
    if (changes != changesBefore) {
      changesBefore = changes;
      asked.clear();
    }
    if (!asked.contains(barrier)) {
      asked.add(barrier);
    }
  }

  /**
   * All warps have had their turn.
   *
   * @param released whether threads went on at a barrier
   * @throws KernelFault if all that can go on have asked in vain for a long time
   */
  void endRound(Warp[] warps, boolean released) {
    boolean isFruitless = !released && changes == changesBefore;
    Warp first = null;
    for (Warp warp : warps) {
      isFruitless &= !warp.isRunnable() || warp.polling() != 0;
      first = first == null && warp.polling() != 0 ? warp : first;
    }
    fruitless = isFruitless && first != null ? fruitless + 1 : 0;
    if (fruitless >= FRUITLESS_ROUNDS && first != null) {
      throw stuck(warps, first);
    }
  }

  private KernelFault stuck(Warp[] warps, Warp first) {
    int polling = 0;
    int atBarriers = 0;
    int living = 0;
    for (Warp warp : warps) {
      polling += Integer.bitCount(warp.polling());
      atBarriers += Integer.bitCount(warp.atBarrier());
      living += Integer.bitCount(warp.living());
    }
    int lane = Integer.numberOfTrailingZeros(first.polling());
    Instruction instruction = block.launch.kernel().code()[first.counter(lane) - 1];
    String lacking =
        asked.stream()
            .limit(NAMED)
            .map(barrier -> "; phase " + barrier.describe())
            .collect(Collectors.joining());
    return block.fault(
        CudaError.LAUNCH_FAILED,
        instruction,
        first,
        lane,
        "deadlock: of "
            + living
            + " threads, "
            + polling
            + " wait for mbarriers and "
            + atBarriers
            + " at barriers"
            + lacking
            + (asked.size() > NAMED ? "; and others" : ""));
  }

  /** All threads have ended. */
  void finish() {
    for (Mbarrier barrier : byOffset.values()) {
      BulkCopy.Flight copy = barrier.underWay();
      if (copy != null) {
        throw copy.caller()
            .fault(
                "the block has ended, and nobody has waited for this copy: phase "
                    + barrier.describe());
      }
    }
  }
}
