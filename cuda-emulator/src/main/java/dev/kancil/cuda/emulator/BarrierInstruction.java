package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.Form.Predicate;
import org.jspecify.annotations.Nullable;

/** {@code bar.sync}, {@code barrier.sync} and {@code bar.red}. */
final class BarrierInstruction extends Instruction {
  /** What {@code bar.red} tells all threads of everybody's predicate. */
  enum Reduction {
    NONE,
    COUNT,
    AND,
    OR
  }

  private final int barrier;
  private final int threads;
  private final Reduction reduction;
  private final int result;
  private final @Nullable Predicate predicate;

  /**
   * @param barrier the row of the barrier's number
   * @param threads the row of the number of threads, -1 for all of the block
   * @param result the row of ints or predicates that the reduction goes to
   */
  BarrierInstruction(
      int barrier, int threads, Reduction reduction, int result, @Nullable Predicate predicate) {
    this.barrier = barrier;
    this.threads = threads;
    this.reduction = reduction;
    this.result = result;
    this.predicate = predicate;
  }

  @Override
  void run(Warp warp, int mask) {
    int lane = Integer.numberOfTrailingZeros(mask);
    int number = warp.ints[barrier][lane];
    Barriers.requireNumber(this, warp, lane, number);
    warp.await(number, mask);
  }

  boolean isForAll() {
    return threads < 0;
  }

  /**
   * How many threads it waits for.
   *
   * @param lane one that waits
   */
  int expected(Warp warp, int lane, int all) {
    return threads < 0 ? all : warp.ints[threads][lane];
  }

  /** Writes the reduction's result for all that wait. */
  void finish(Warp[] warps, int number) {
    if (reduction == Reduction.NONE || predicate == null) {
      return;
    }
    int count = 0;
    int all = 0;
    for (Warp warp : warps) {
      int lanes = warp.waiting(number);
      all += Integer.bitCount(lanes);
      count += Integer.bitCount(predicate.value(warp) & lanes);
    }
    for (Warp warp : warps) {
      int lanes = warp.waiting(number);
      if (reduction == Reduction.COUNT) {
        int[] row = warp.ints[result];
        for (int m = lanes; m != 0; m &= m - 1) {
          row[Integer.numberOfTrailingZeros(m)] = count;
        }
      } else {
        boolean holds = reduction == Reduction.AND ? count == all : count > 0;
        warp.keepPredicate(result, lanes, holds ? -1 : 0);
      }
    }
  }
}
