package dev.kancil.cuda.emulator.micro;

import java.util.Collections;
import java.util.List;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * A form of an instruction, as a few lines of PTX that read %a0, %a1 … and write %d0, %d1 ….
 *
 * @param name the instruction, and what else tells it from others
 * @param body PTX; see {@link MicroKernel} for the registers that it may use
 * @param results types of the results: u16, s32, f16x2 …; NaNs of floats are all the same
 * @param operands types of the operands, which decide what values they have
 * @param target the compute capability that it needs
 * @param isExact whether later devices don't have it
 * @param tolerance how far results may be apart
 * @param expected the first result's bits, from the operands' bits, in Java; null if that is not
 *     known
 */
record MicroForm(
    String name,
    String body,
    List<String> results,
    List<String> operands,
    int target,
    boolean isExact,
    Tolerance tolerance,
    @Nullable ToLongFunction<long[]> expected) {

  /**
   * How far two floats may be apart: the PTX ISA's bound for the hardware, and for the emulator
   * half a unit in the last place.
   *
   * @param relative to the larger one
   */
  record Tolerance(double relative, double absolute) {
    static final Tolerance NONE = new Tolerance(0, 0);

    boolean holds(double a, double b) {
      double apart = Math.abs(a - b);
      if (Double.isInfinite(a) || Double.isInfinite(b)) {
        return false;
      }
      return apart <= absolute || apart <= relative * Math.max(Math.abs(a), Math.abs(b));
    }
  }

  /** Of devices from some compute capability on. */
  MicroForm(
      String name,
      String body,
      List<String> results,
      List<String> operands,
      int target,
      Tolerance tolerance,
      @Nullable ToLongFunction<long[]> expected) {
    this(name, body, results, operands, target, false, tolerance, expected);
  }

  /** Whether devices of a compute capability have it. */
  boolean runsOn(int capability) {
    return isExact ? capability == target : capability >= target;
  }

  /** One result. */
  static MicroForm of(String name, String body, String result, String... operands) {
    return new MicroForm(name, body, List.of(result), List.of(operands), 75, Tolerance.NONE, null);
  }

  /** An instruction whose operands are its result and all of one type. */
  static MicroForm uniform(String opcode, String type, int operands) {
    StringBuilder body = new StringBuilder(opcode).append(" %d0");
    for (int i = 0; i < operands; i++) {
      body.append(", %a").append(i);
    }
    List<String> types = Collections.nCopies(operands, type);
    return of(opcode, body.append(';').toString(), type, types.toArray(String[]::new));
  }

  MicroForm since(int capability) {
    return new MicroForm(name, body, results, operands, capability, isExact, tolerance, expected);
  }

  MicroForm within(double relative, double absolute) {
    Tolerance given = new Tolerance(relative, absolute);
    return new MicroForm(name, body, results, operands, target, isExact, given, expected);
  }

  MicroForm giving(ToLongFunction<long[]> function) {
    return new MicroForm(name, body, results, operands, target, isExact, tolerance, function);
  }

  static int bits(String type) {
    return switch (type) {
      case "f16x2", "bf16x2", "b8x4", "w32" -> 32;
      case "bf16" -> 16;
      case "n16x2", "i16x2", "j16x2" -> 32;
      default -> Integer.parseInt(type.substring(1));
    };
  }
}
