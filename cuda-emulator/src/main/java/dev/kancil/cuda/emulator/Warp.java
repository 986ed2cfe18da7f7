package dev.kancil.cuda.emulator;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Thirty-two threads. Those at the smallest program counter run in lock-step, until they meet
 * others or wait; compilers lay loops and branches out so that threads meet again where paths join.
 */
final class Warp {
  static final int LANES = 32;

  /** A NaN as a float and in each half; as an integer or address, nothing that a kernel means. */
  static final int POISON = 0x7fff_7fff;

  static final long LONG_POISON = 0x7fff_7fff_7fff_7fffL;

  final Block block;
  final int index;
  final int[][] ints;
  final long[][] longs;
  final int[] predicates;

  /** The addresses of a memory instruction, first the kernel's, then the host's. */
  final long[] addresses = new long[LANES];

  final AsyncCopies copies = new AsyncCopies();
  final WarpgroupProducts products;
  private @Nullable BulkStores stores;

  private final Instruction[] code;
  private final Rows rows;
  private final int[] intResults = new int[LANES];
  private final long[] longResults = new long[LANES];

  // Flow. Lanes are either in mask, or have their counter in counters.
  private final int[] counters = new int[LANES];
  private final int existing;
  private int mask;
  private int counter;
  private int nextMeeting;
  private int exited;

  /** Lanes at a block's barrier, and each one's barrier. */
  private int atBarrier;

  private final int[] barriers = new int[LANES];

  /** Lanes at an instruction that waits for others of the warp. */
  private int parked;

  /** Lanes that have asked an mbarrier in vain, and let others go on before they ask again. */
  private int polling;

  Warp(Block block, int index) {
    this.block = block;
    this.index = index;
    code = block.launch.kernel().code();
    rows = block.launch.kernel().rows();
    ints = new int[rows.ints.size()][LANES];
    longs = new long[rows.longs.size()][LANES];
    predicates = new int[rows.predicates.size()];
    int lanes = Math.min(LANES, block.launch.threads() - index * LANES);
    existing = lanes == LANES ? -1 : (1 << lanes) - 1;
    products = new WarpgroupProducts(block.launch.kernel().productRows());
    fillConstants();
  }

  private void fillConstants() {
    for (int row = 0; row < ints.length; row++) {
      switch (rows.ints.get(row)) {
        case Rows.Constant(long value) -> Arrays.fill(ints[row], (int) value);
        case Rows.DynamicShared(long offset) ->
            Arrays.fill(ints[row], (int) (block.launch.kernel().staticSharedBytes() + offset));
        default -> {}
      }
    }
    for (int row = 0; row < longs.length; row++) {
      switch (rows.longs.get(row)) {
        case Rows.Constant(long value) -> Arrays.fill(longs[row], value);
        case Rows.DynamicShared(long offset) ->
            Arrays.fill(longs[row], block.launch.kernel().staticSharedBytes() + offset);
        default -> {}
      }
    }
    for (int row = 0; row < predicates.length; row++) {
      if (rows.predicates.get(row) instanceof Rows.Constant(long value)) {
        predicates[row] = (int) value;
      }
    }
  }

  /** Begins another block. */
  void start() {
    fillRegisters(rows.ints);
    for (int row = 0; row < longs.length; row++) {
      if (rows.longs.get(row) instanceof Rows.Unwritten) {
        Arrays.fill(longs[row], LONG_POISON);
      }
    }
    copies.start();
    products.start();
    mask = existing;
    counter = 0;
    nextMeeting = Integer.MAX_VALUE;
    exited = 0;
    atBarrier = 0;
    parked = 0;
    polling = 0;
    if (stores != null) {
      stores.start();
    }
  }

  /** The bulk copies to global memory that the warp's threads have begun. */
  BulkStores stores() {
    BulkStores known = stores;
    if (known == null) {
      known = new BulkStores();
      stores = known;
    }
    return known;
  }

  private void fillRegisters(List<Rows.Content> contents) {
    for (int row = 0; row < ints.length; row++) {
      switch (contents.get(row)) {
        case Rows.Unwritten _ -> Arrays.fill(ints[row], POISON);
        case Rows.SpecialRegister(Special special) -> {
          for (int lane = 0; lane < LANES; lane++) {
            ints[row][lane] = special.value(block, index, lane);
          }
        }
        default -> {}
      }
    }
  }

  /** The row that a result goes to: the register's own if all lanes are written. */
  int[] intResult(int row, int lanes) {
    return lanes == -1 ? ints[row] : intResults;
  }

  long[] longResult(int row, int lanes) {
    return lanes == -1 ? longs[row] : longResults;
  }

  void keep(int row, int lanes, int[] result) {
    if (lanes != -1) {
      int[] target = ints[row];
      for (int m = lanes; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        target[lane] = result[lane];
      }
    }
  }

  void keep(int row, int lanes, long[] result) {
    if (lanes != -1) {
      long[] target = longs[row];
      for (int m = lanes; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        target[lane] = result[lane];
      }
    }
  }

  void keepPredicate(int row, int lanes, int result) {
    predicates[row] = predicates[row] & ~lanes | result & lanes;
  }

  /**
   * Runs until no lane can go on, or for some instructions.
   *
   * @return instructions times lanes that ran
   */
  long run(int instructions) {
    long lanes = 0;
    if (polling != 0) {
      polling = 0;
      meet();
    }
    for (int i = 0; i < instructions && mask != 0; i++) {
      Instruction instruction = code[counter];
      counter++;
      int active = mask;
      int guard = instruction.guard;
      if (guard >= 0) {
        int predicate = predicates[guard];
        active &= instruction.guardNegated ? ~predicate : predicate;
      }
      if (active != 0) {
        lanes += Integer.bitCount(active);
        instruction.run(this, active);
      }
      if (counter >= nextMeeting) {
        meet();
      }
    }
    return lanes;
  }

  /** Chooses who runs next: the lanes at the smallest counter of those that wait for nobody. */
  private void meet() {
    for (int m = mask; m != 0; m &= m - 1) {
      counters[Integer.numberOfTrailingZeros(m)] = counter;
    }
    int runnable = existing & ~exited & ~atBarrier & ~parked & ~polling;
    if (runnable == 0 && polling != 0) {
      mask = 0;
      return;
    }
    if (runnable == 0 && parked != 0) {
      // Those that they waited for may be gone: each group looks once more.
      runnable = parked;
    }
    int smallest = Integer.MAX_VALUE;
    for (int m = runnable; m != 0; m &= m - 1) {
      smallest = Math.min(smallest, counters[Integer.numberOfTrailingZeros(m)]);
    }
    int next = 0;
    int meeting = Integer.MAX_VALUE;
    for (int m = runnable | parked; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      if (counters[lane] == smallest) {
        next |= 1 << lane;
      } else if (counters[lane] > smallest) {
        meeting = Math.min(meeting, counters[lane]);
      }
    }
    mask = next;
    parked &= ~next;
    counter = smallest;
    nextMeeting = meeting;
  }

  private boolean isDiverged() {
    return (existing & ~exited & ~atBarrier & ~mask) != 0;
  }

  /** Some lanes go elsewhere. */
  void branch(int lanes, int target) {
    if (lanes == mask) {
      counter = target;
      if (isDiverged()) {
        meet();
      }
      return;
    }
    for (int m = lanes; m != 0; m &= m - 1) {
      counters[Integer.numberOfTrailingZeros(m)] = target;
    }
    mask &= ~lanes;
    meet();
  }

  /** Some lanes will run this instruction once more. */
  void repeat(int lanes) {
    for (int m = lanes; m != 0; m &= m - 1) {
      counters[Integer.numberOfTrailingZeros(m)] = counter - 1;
    }
    mask &= ~lanes;
  }

  void exit(int lanes) {
    exited |= lanes;
    mask &= ~lanes;
    meet();
  }

  /**
   * Whether all of some lanes that still live are here; if not, those that are wait, and will run
   * the instruction again.
   */
  boolean gather(int members, int lanes, Instruction instruction) {
    int missing = members & existing & ~exited & ~lanes;
    if (missing == 0) {
      return true;
    }
    if ((existing & ~exited & ~atBarrier & ~parked & ~lanes) == 0) {
      throw block.fault(
          CudaError.LAUNCH_FAILED,
          instruction,
          this,
          Integer.numberOfTrailingZeros(lanes),
          "it waits for lanes that never come: mask 0x" + Integer.toHexString(missing));
    }
    for (int m = lanes; m != 0; m &= m - 1) {
      counters[Integer.numberOfTrailingZeros(m)] = counter - 1;
    }
    parked |= lanes;
    mask &= ~lanes;
    meet();
    return false;
  }

  /** As {@link #gather}, for an instruction of all 32 lanes. */
  boolean gatherAll(int lanes, Instruction instruction) {
    if (lanes == -1) {
      return true;
    }
    if (gather(-1, lanes, instruction)) {
      throw block.fault(
          CudaError.LAUNCH_FAILED,
          instruction,
          this,
          Integer.numberOfTrailingZeros(lanes),
          "it takes a whole warp, only lanes 0x" + Integer.toHexString(lanes) + " are here");
    }
    return false;
  }

  /** Some lanes have asked in vain, and go on to ask again when all others have had their turn. */
  void poll(int lanes) {
    for (int m = lanes; m != 0; m &= m - 1) {
      counters[Integer.numberOfTrailingZeros(m)] = counter;
    }
    polling |= lanes;
    mask &= ~lanes;
    meet();
  }

  /** Some lanes wait for others of the block. */
  void await(int barrier, int lanes) {
    for (int m = lanes; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      counters[lane] = counter;
      barriers[lane] = barrier;
    }
    atBarrier |= lanes;
    mask &= ~lanes;
    meet();
  }

  /** The lanes that wait at a barrier. */
  int waiting(int barrier) {
    int lanes = 0;
    for (int m = atBarrier; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      lanes |= barriers[lane] == barrier ? 1 << lane : 0;
    }
    return lanes;
  }

  /** Lets lanes go that waited at a barrier. */
  void release(int lanes) {
    atBarrier &= ~lanes;
    meet();
  }

  boolean isRunnable() {
    return mask != 0 || polling != 0;
  }

  /** The lanes that have asked an mbarrier in vain, where no other lane of the warp can go on. */
  int polling() {
    return mask == 0 ? polling : 0;
  }

  int existing() {
    return existing;
  }

  int exited() {
    return exited;
  }

  /** The lanes that have not ended. */
  int living() {
    return existing & ~exited;
  }

  int atBarrier() {
    return atBarrier;
  }

  /** The instruction after that at which a lane waits. */
  int counter(int lane) {
    return counters[lane];
  }
}
