package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.List;

/**
 * Four warps that multiply together. They run one after the other here, so what each of them runs
 * is written down by the first and compared by the others.
 */
final class Warpgroup {
  static final int WARPS = 4;

  private static final int KEPT_STEPS = 1024;

  /**
   * What all four warps run.
   *
   * @param a bits that must be the same for all, as {@code b} and {@code c}
   */
  record Step(Instruction instruction, long a, long b, long c) {}

  private final Block block;
  private final int first;
  private final List<Step> steps = new ArrayList<>();

  /** How many steps each warp has run since those that are still in the list. */
  private final int[] positions = new int[WARPS];

  /**
   * @param number 0 for warps 0 to 3
   */
  Warpgroup(Block block, int number) {
    this.block = block;
    first = number * WARPS;
  }

  /** A warp runs a step. */
  void run(Warp warp, Step step) {
    int member = warp.index - first;
    int threads = block.launch.threads() - first * Warp.LANES;
    if (threads < WARPS * Warp.LANES) {
      throw fault(
          step.instruction, warp, "it takes 128 threads, the last of the block are " + threads);
    }
    int position = positions[member]++;
    if (position == steps.size()) {
      steps.add(step);
      return;
    }
    Step expected = steps.get(position);
    if (!expected.instruction.equals(step.instruction)) {
      throw fault(
          step.instruction,
          warp,
          "another warp of the four that run it together ran " + expected.instruction);
    }
    if (!expected.equals(step)) {
      throw fault(
          step.instruction,
          warp,
          "another warp of the four that run it together has another matrix descriptor or scale-d");
    }
    if (steps.size() > KEPT_STEPS) {
      forget();
    }
  }

  private void forget() {
    int run = Integer.MAX_VALUE;
    for (int position : positions) {
      run = Math.min(run, position);
    }
    steps.subList(0, run).clear();
    for (int i = 0; i < WARPS; i++) {
      positions[i] -= run;
    }
  }

  /** All threads have ended. */
  void finish(Warp[] warps) {
    for (int i = 0; i < WARPS; i++) {
      if (positions[i] < steps.size()) {
        throw fault(
            steps.get(positions[i]).instruction,
            warps[first + i],
            "the warp ended, another of the four that run it together has run it");
      }
    }
  }

  private KernelFault fault(Instruction instruction, Warp warp, String message) {
    return block.fault(CudaError.LAUNCH_FAILED, instruction, warp, 0, message);
  }
}
