package dev.kancil.backend.cuda;

import dev.kancil.backend.accelerator.AcceleratorState;
import dev.kancil.backend.accelerator.StepInputs;
import dev.kancil.backend.accelerator.Work;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** One of several ways to do the same: that which costs a step's number of rows least. */
final class CheapestWork implements Work {
  /** What a way costs, in units that all ways share. */
  @FunctionalInterface
  interface Cost {
    long of(int rows);
  }

  /** A way, which is made if some step may take it. */
  record Way(Cost cost, Supplier<Work> work) {}

  private final List<Cost> costs = new ArrayList<>();
  private final List<Work> works = new ArrayList<>();
  private final boolean perOutput;

  /**
   * Makes the ways that are the cheapest for some number of rows.
   *
   * @param leastRows of a step
   * @param mostRows of a step
   * @param perOutput whether the rows are the outputs, not the tokens
   * @param makesAll whether all ways are made, whatever they cost here
   */
  CheapestWork(List<Way> ways, int leastRows, int mostRows, boolean perOutput, boolean makesAll) {
    this.perOutput = perOutput;
    List<Cost> all = ways.stream().map(Way::cost).toList();
    boolean[] taken = new boolean[all.size()];
    Arrays.fill(taken, makesAll);
    for (int rows = leastRows; rows <= mostRows && !makesAll; rows++) {
      taken[cheapest(all, rows)] = true;
    }
    for (int i = 0; i < taken.length; i++) {
      if (taken[i]) {
        costs.add(all.get(i));
        works.add(ways.get(i).work().get());
      }
    }
  }

  private static int cheapest(List<Cost> costs, int rows) {
    int best = 0;
    for (int i = 1; i < costs.size(); i++) {
      if (costs.get(i).of(rows) < costs.get(best).of(rows)) {
        best = i;
      }
    }
    return best;
  }

  @Override
  public void bind(AcceleratorState state, StepInputs inputs) {
    works.forEach(work -> work.bind(state, inputs));
  }

  @Override
  public void enqueue(int tokens, int outputs) {
    works.get(cheapest(costs, perOutput ? outputs : tokens)).enqueue(tokens, outputs);
  }
}
