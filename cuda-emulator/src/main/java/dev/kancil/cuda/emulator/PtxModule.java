package dev.kancil.cuda.emulator;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A parsed PTX text.
 *
 * @param scope what is declared outside of functions
 * @param files names of source files by their numbers
 */
record PtxModule(
    PtxTarget target,
    Scope scope,
    List<Variable> variables,
    Map<String, Function> functions,
    Map<Integer, String> files) {

  /**
   * A variable or parameter.
   *
   * @param bytes 0 for an array whose size the launch decides
   * @param values its initialiser, at most as many as it has elements
   */
  record Variable(
      String name,
      Space space,
      PtxType element,
      int alignment,
      long bytes,
      boolean isExternal,
      List<Operand> values,
      int line) {}

  /**
   * A kernel, or a function that kernels call.
   *
   * @param statements null if there is only a declaration
   * @param maxThreads of a block, 0 if unsaid
   */
  record Function(
      String name,
      boolean isKernel,
      List<Variable> results,
      List<Variable> parameters,
      @Nullable List<Statement> statements,
      int maxThreads,
      int line) {}

  /**
   * An instruction.
   *
   * @param guard the predicate's name, or null
   * @param scope where its names are looked up
   * @param sourceFile the number of the source's file, as {@code .file} has it
   * @param sourceLine of the CUDA source, 0 if unknown
   */
  record Statement(
      @Nullable String guard,
      boolean guardNegated,
      String opcode,
      List<Operand> operands,
      Scope scope,
      int line,
      int sourceFile,
      int sourceLine) {}
}
