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
  private String source = "";
  private String opcode = "";

  /**
   * Runs in some lanes.
   *
   * @param mask a bit for each lane, not 0
   */
  abstract void run(Warp warp, int mask);

  /**
   * @param file the source's name
   */
  final void place(Statement statement, String file) {
    line = statement.line();
    opcode = statement.opcode();
    source = statement.sourceLine() > 0 ? ", " + file + ":" + statement.sourceLine() : "";
  }

  /** The instruction and where it stands, as messages have it. */
  @Override
  public final String toString() {
    return opcode + " (PTX line " + line + source + ")";
  }
}
