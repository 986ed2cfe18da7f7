package dev.kancil.cuda.emulator;

import org.jspecify.annotations.Nullable;

/** {@code bra}, {@code brx.idx}, and the {@code ret} of functions that are part of a kernel. */
final class Branch extends Instruction {
  private final boolean toEnd;
  private final int index;
  private int[] targets = {};

  Branch(boolean toEnd) {
    this(toEnd, -1);
  }

  /**
   * @param index the row of which target, -1 for the only one
   */
  private Branch(boolean toEnd, int index) {
    this.toEnd = toEnd;
    this.index = index;
  }

  static Branch toEnd(Form form) {
    form.has("uni");
    form.finish(0);
    return new Branch(true);
  }

  static Branch decode(Form form) {
    form.has("uni");
    if (form.has("idx")) {
      form.finish(2);
      return new Branch(false, form.source(0, PtxType.U32));
    }
    form.finish(1);
    return new Branch(false);
  }

  /** Finds the labels, when all are known. */
  void resolve(Form form, int[] places) {
    if (toEnd) {
      targets = new int[] {places[places.length - 1]};
      return;
    }
    Scope scope = form.statement.scope();
    Scope.Meaning meaning = meaning(scope, form.operand(index < 0 ? 0 : 1));
    if (index >= 0 && meaning instanceof Scope.Targets(var labels)) {
      targets =
          labels.stream().mapToInt(name -> place(form, scope.find(name), name, places)).toArray();
    } else if (index < 0) {
      targets = new int[] {place(form, meaning, "its target", places)};
    } else {
      throw form.error("unknown list of labels");
    }
  }

  private static Scope.@Nullable Meaning meaning(Scope scope, Operand operand) {
    return operand instanceof Operand.Name(String name, _, _) ? scope.find(name) : null;
  }

  private static int place(Form form, Scope.@Nullable Meaning meaning, String name, int[] places) {
    if (meaning instanceof Scope.Label(int statement)) {
      return places[statement];
    }
    throw form.error("unknown label: " + name);
  }

  void goTo(int target) {
    targets = new int[] {target};
  }

  @Override
  void run(Warp warp, int mask) {
    if (index < 0) {
      warp.branch(mask, targets[0]);
      return;
    }
    int[] row = warp.ints[index];
    int first = Integer.numberOfTrailingZeros(mask);
    int chosen = row[first];
    if (chosen < 0 || chosen >= targets.length) {
      throw warp.block.fault(
          CudaError.LAUNCH_FAILED, this, warp, first, "there is no target " + chosen);
    }
    int same = 0;
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      same |= row[lane] == chosen ? 1 << lane : 0;
    }
    if (same != mask) {
      warp.repeat(mask & ~same);
    }
    warp.branch(same, targets[chosen]);
  }
}
