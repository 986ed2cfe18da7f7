package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PredicateInstructions.Comparison;
import dev.kancil.cuda.emulator.RowInstructions.IntTest;
import java.util.Objects;

/** {@code set} and {@code setp} of two halves in a register, each for itself. */
final class PackedComparison extends Instruction {
  private final IntTest test;
  private final boolean inverted;
  private final int a;
  private final int b;
  private final int low;
  private final int high;
  private final int one;

  /**
   * @param low the row of the predicate of the lower halves, or of both results
   * @param one what a half gets where the relation holds; 0: results are predicates
   */
  private PackedComparison(Comparison comparison, int low, int high, int one) {
    test = Objects.requireNonNull(comparison.intTest());
    inverted = comparison.inverted();
    a = comparison.a();
    b = comparison.b();
    this.low = low;
    this.high = high;
    this.one = one;
  }

  static Instruction decode(Form form, String relation, PtxType resultType, PtxType type) {
    form.finish(3);
    PtxType half = type == PtxType.BF16X2 ? PtxType.BF16 : PtxType.F16;
    Comparison comparison =
        Comparisons.ofFloats(
            form, relation, half, form.source(1, type), form.source(2, type), false);
    if (resultType == PtxType.PRED) {
      if (!(form.operand(0) instanceof Operand.Pair(Operand first, Operand second))) {
        throw form.error("two predicates were expected");
      }
      return new PackedComparison(
          comparison, form.target(first, resultType), form.target(second, resultType), 0);
    }
    if (resultType != type) {
      throw form.unknown();
    }
    int row = form.target(0, type);
    return new PackedComparison(
        comparison, row, row, HalfFormat.of(type).round(1, Rounding.NEAREST));
  }

  @Override
  void run(Warp warp, int mask) {
    int lower = lanes(warp, 0);
    int upper = lanes(warp, 16);
    if (one == 0) {
      warp.keepPredicate(low, mask, lower);
      warp.keepPredicate(high, mask, upper);
      return;
    }
    int[] row = warp.ints[low];
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      row[lane] = (upper >>> lane & 1) * one << 16 | (lower >>> lane & 1) * one;
    }
  }

  private int lanes(Warp warp, int shift) {
    int[] first = new int[Warp.LANES];
    int[] second = new int[Warp.LANES];
    for (int i = 0; i < Warp.LANES; i++) {
      first[i] = warp.ints[a][i] >>> shift & 0xffff;
      second[i] = warp.ints[b][i] >>> shift & 0xffff;
    }
    int result = test.apply(first, second);
    return inverted ? ~result : result;
  }
}
