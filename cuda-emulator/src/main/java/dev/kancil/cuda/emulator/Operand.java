package dev.kancil.cuda.emulator;

import java.util.List;

/** An instruction's operand as it is written. */
sealed interface Operand {
  /**
   * A register, variable, label, function, or {@code _}.
   *
   * @param negated for {@code !%p}
   * @param offset for {@code name+4}
   */
  record Name(String text, boolean negated, long offset) implements Operand {}

  /** A whole number. */
  record Whole(long value) implements Operand {}

  /** A floating-point number; {@code 0f} constants are exact as doubles, NaNs keep their bits. */
  record Floating(double value, int singleBits) implements Operand {}

  /** {@code {a, b}}, and the lists in parentheses of {@code call}. */
  record Vector(List<Operand> elements) implements Operand {}

  /** {@code [base+offset]}; the base is a {@link Name} or a {@link Whole}. */
  record Address(Operand base, long offset) implements Operand {}

  /** {@code a|b}, two results. */
  record Pair(Operand first, Operand second) implements Operand {}
}
