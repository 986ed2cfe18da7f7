package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.Form.Predicate;
import dev.kancil.cuda.emulator.RowInstructions.IntTest;
import dev.kancil.cuda.emulator.RowInstructions.LongTest;
import org.jspecify.annotations.Nullable;

/** Instructions that make predicates, and such as choose by them. */
final class PredicateInstructions {
  private PredicateInstructions() {}

  static int combine(String name, int a, int b) {
    return switch (name) {
      case "and" -> a & b;
      case "or" -> a | b;
      case "xor" -> a ^ b;
      case "not", "cnot" -> ~a;
      default -> a;
    };
  }

  static final class Logic extends Instruction {
    private final String name;
    private final int d;
    private final Predicate a;
    private final Predicate b;

    Logic(String name, int d, Predicate a, Predicate b) {
      this.name = name;
      this.d = d;
      this.a = a;
      this.b = b;
    }

    @Override
    void run(Warp warp, int mask) {
      warp.keepPredicate(d, mask, combine(name, a.value(warp), b.value(warp)));
    }
  }

  /** A comparison of two rows. */
  record Comparison(
      @Nullable IntTest intTest, @Nullable LongTest longTest, int a, int b, boolean inverted) {
    int lanes(Warp warp) {
      int result = 0;
      if (intTest != null) {
        result = intTest.apply(warp.ints[a], warp.ints[b]);
      } else if (longTest != null) {
        result = longTest.apply(warp.longs[a], warp.longs[b]);
      }
      return inverted ? ~result : result;
    }
  }

  /** {@code setp}: the comparison and its contrary, each combined with a third predicate. */
  static final class Set extends Instruction {
    private final Comparison comparison;
    private final String combination;
    private final @Nullable Predicate third;
    private final int p;
    private final int q;

    /**
     * @param q the row of the second result, or -1
     */
    Set(Comparison comparison, String combination, @Nullable Predicate third, int p, int q) {
      this.comparison = comparison;
      this.combination = combination;
      this.third = third;
      this.p = p;
      this.q = q;
    }

    @Override
    void run(Warp warp, int mask) {
      int result = comparison.lanes(warp);
      int other = ~result;
      if (third != null) {
        int value = third.value(warp);
        result = combine(combination, result, value);
        other = combine(combination, other, value);
      }
      warp.keepPredicate(p, mask, result);
      if (q >= 0) {
        warp.keepPredicate(q, mask, other);
      }
    }
  }

  /** {@code set}: a number instead of a predicate. */
  static final class SetValue extends Instruction {
    private final Comparison comparison;
    private final String combination;
    private final @Nullable Predicate third;
    private final int d;
    private final int value;

    SetValue(
        Comparison comparison, String combination, @Nullable Predicate third, int d, int value) {
      this.comparison = comparison;
      this.combination = combination;
      this.third = third;
      this.d = d;
      this.value = value;
    }

    @Override
    void run(Warp warp, int mask) {
      int result = comparison.lanes(warp);
      if (third != null) {
        result = combine(combination, result, third.value(warp));
      }
      int[] row = warp.ints[d];
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        row[lane] = (result >>> lane & 1) != 0 ? value : 0;
      }
    }
  }

  static final class SelectInts extends Instruction {
    private final int d;
    private final int a;
    private final int b;
    private final Predicate predicate;

    SelectInts(int d, int a, int b, Predicate predicate) {
      this.d = d;
      this.a = a;
      this.b = b;
      this.predicate = predicate;
    }

    @Override
    void run(Warp warp, int mask) {
      int chosen = predicate.value(warp);
      int[] first = warp.ints[a];
      int[] second = warp.ints[b];
      int[] result = warp.intResult(d, mask);
      for (int i = 0; i < Warp.LANES; i++) {
        result[i] = (chosen >>> i & 1) != 0 ? first[i] : second[i];
      }
      warp.keep(d, mask, result);
    }
  }

  static final class SelectLongs extends Instruction {
    private final int d;
    private final int a;
    private final int b;
    private final Predicate predicate;

    SelectLongs(int d, int a, int b, Predicate predicate) {
      this.d = d;
      this.a = a;
      this.b = b;
      this.predicate = predicate;
    }

    @Override
    void run(Warp warp, int mask) {
      int chosen = predicate.value(warp);
      long[] first = warp.longs[a];
      long[] second = warp.longs[b];
      long[] result = warp.longResult(d, mask);
      for (int i = 0; i < Warp.LANES; i++) {
        result[i] = (chosen >>> i & 1) != 0 ? first[i] : second[i];
      }
      warp.keep(d, mask, result);
    }
  }
}
