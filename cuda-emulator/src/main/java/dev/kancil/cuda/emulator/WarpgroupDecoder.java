package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.WarpgroupProduct.Left;
import java.util.Arrays;
import java.util.List;

/** {@code wgmma}: four warps multiply a matrix, while their threads go on. */
final class WarpgroupDecoder {
  private static final int MAX_COLUMNS = 256;

  private WarpgroupDecoder() {}

  static Instruction decode(Form form) {
    boolean isAligned = form.has("sync") && form.has("aligned");
    String name = form.anyOf("mma_async", "fence", "commit_group", "wait_group");
    if (name == null || !isAligned) {
      throw form.unknown();
    }
    Instruction instruction =
        switch (name) {
          case "mma_async" -> multiply(form);
          case "fence" -> new WarpgroupProducts.Fence();
          case "commit_group" -> new WarpgroupProducts.Commit();
          default -> new WarpgroupProducts.Wait(form.smallNumber(0));
        };
    if (!name.equals("mma_async")) {
      form.finish(name.equals("wait_group") ? 1 : 0);
    }
    form.requiresExactly(90);
    return instruction;
  }

  private static Instruction multiply(Form form) {
    int columns = columns(form);
    PtxType sum = form.type();
    PtxType a = form.type();
    PtxType b = form.type();
    if (sum != PtxType.F32 || a != b || a != PtxType.F16 && a != PtxType.BF16) {
      throw form.unknown();
    }
    boolean isShared = !(form.operand(1) instanceof Operand.Vector);
    form.finish(isShared ? 8 : 7);
    int sign = sign(form, 4) * sign(form, 5);
    for (int i = 6; i < form.operands(); i++) {
      if (form.smallNumber(i) != 0) {
        throw form.error(
            form.statement.opcode() + " with imm-trans 1: only rows along K are emulated");
      }
    }
    form.decoder.noteAccess(Space.SHARED, SharedMatrix.UNIT_BYTES);
    int[] targets = registers(form, 0, PtxType.F32, columns / 2, true);
    if (Arrays.stream(targets).distinct().count() < targets.length) {
      throw form.error("a register is there twice");
    }
    Left left =
        isShared
            ? new Left(null, form.source(1, PtxType.B64))
            : new Left(registers(form, 1, PtxType.B32, 4, false), -1);
    return new WarpgroupProduct(
        HalfFormat.of(a),
        columns,
        targets,
        left,
        form.source(2, PtxType.B64),
        form.predicate(3),
        sign < 0);
  }

  /** From {@code m64n8k16} to {@code m64n256k16}. */
  private static int columns(Form form) {
    for (int columns = 8; columns <= MAX_COLUMNS; columns += 8) {
      if (form.has("m64n" + columns + "k16")) {
        return columns;
      }
    }
    throw form.unknown();
  }

  private static int sign(Form form, int index) {
    if (form.operand(index) instanceof Operand.Whole(long value) && Math.abs(value) == 1) {
      return (int) value;
    }
    throw form.error("1 or -1 was expected");
  }

  /** Registers that products use, by their places among the kernel's. */
  private static int[] registers(
      Form form, int index, PtxType type, int count, boolean areResults) {
    if (!(form.operand(index) instanceof Operand.Vector(List<Operand> parts))
        || parts.size() != count) {
      throw form.error(count + " registers were expected as operand " + index);
    }
    return parts.stream()
        .mapToInt(part -> areResults ? form.target(part, type) : form.source(part, type))
        .map(form.decoder::noteProductRow)
        .toArray();
  }
}
