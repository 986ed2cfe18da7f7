package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxModule.Statement;

/**
 * A decoded instruction. Operands are rows: {@code warp.ints[row]}, {@code warp.longs[row]} hold a
 * register's 32 lanes, {@code warp.predicates[row]} a bit for each lane. Constants and special
 * registers have rows, too. Values of 8 and 16 bits lie in ints, the bits above are zero.
 */
abstract class Instruction {
  /** The guard's row of predicates; -1: always. */
  int guard = -1;

  boolean guardNegated;
  private int line;
  private int sourceLine;
  private String opcode = "";

  /**
   * Runs in some lanes.
   *
   * @param mask a bit for each lane, not 0
   */
  abstract void run(Warp warp, int mask);

  final void place(Statement statement) {
    line = statement.line();
    sourceLine = statement.sourceLine();
    opcode = statement.opcode();
  }

  /** The instruction and where it stands, as messages have it. */
  @Override
  public final String toString() {
    String source = sourceLine > 0 ? ", source line " + sourceLine : "";
    return opcode + " (PTX line " + line + source + ")";
  }
}
