package dev.kancil.cuda.emulator;

import java.util.List;

/** Instructions of whole warps for small matrices: {@code mma} and {@code ldmatrix}. */
final class MatrixDecoder {
  private MatrixDecoder() {}

  static Instruction decode(Form form) {
    if (!form.has("sync") || !form.has("aligned")) {
      throw form.unknown();
    }
    return form.mnemonic.equals("mma") ? multiply(form) : load(form);
  }

  private static Instruction multiply(Form form) {
    String shape = form.anyOf("m16n8k8", "m16n8k16", "m16n8k32", "m8n8k16");
    if (shape == null || !form.has("row") || !form.has("col")) {
      throw form.unknown();
    }
    boolean saturates = form.has("satfinite");
    PtxType result = form.type();
    PtxType a = form.type();
    PtxType b = form.type();
    PtxType sum = form.type();
    form.finish(4);
    boolean isHalf = a == b && (a == PtxType.F16 || a == PtxType.BF16);
    boolean isBytes = isByte(a) && isByte(b);
    PtxType expected = isHalf ? PtxType.F32 : PtxType.S32;
    boolean hasShape =
        switch (shape) {
          case "m16n8k8" -> isHalf;
          case "m16n8k16" -> isHalf || isBytes;
          default -> isBytes;
        };
    if (!hasShape || result != expected || sum != expected || saturates && isHalf) {
      throw form.unknown();
    }
    boolean isOld = shape.equals("m8n8k16") || shape.equals("m16n8k8") && a == PtxType.F16;
    form.requires(isOld ? 75 : 80);
    int rows = shape.startsWith("m8") ? 8 : 16;
    int depth = Integer.parseInt(shape.substring(shape.indexOf('k') + 1));
    // Registers of 32 lanes and as many bits.
    int bits = a.bits;
    int[] targets = registers(form, 0, PtxType.F32, rows / 4, true);
    int[] left = registers(form, 1, PtxType.B32, rows * depth * bits / 1024, false);
    int[] right = registers(form, 2, PtxType.B32, 8 * depth * bits / 1024, false);
    int[] start = registers(form, 3, isHalf ? PtxType.F32 : PtxType.S32, rows / 4, false);
    return isHalf
        ? new HalfMatrixProduct(HalfFormat.of(a), depth, targets, left, right, start)
        : new ByteMatrixProduct(
            a.isSigned(), b.isSigned(), saturates, rows, depth, targets, left, right, start);
  }

  private static boolean isByte(PtxType type) {
    return type == PtxType.S8 || type == PtxType.U8;
  }

  private static Instruction load(Form form) {
    boolean isSquare = form.has("m8n8");
    String count = form.anyOf("x1", "x2", "x4");
    boolean transposed = form.has("trans");
    Space space = form.space();
    PtxType type = form.type();
    form.finish(2);
    if (!isSquare
        || count == null
        || type != PtxType.B16
        || space != Space.SHARED && space != Space.GENERIC) {
      throw form.unknown();
    }
    form.requires(75);
    MemoryDecoder.Place place = MemoryDecoder.place(form, form.operand(1), space);
    if (place.space() != Space.SHARED && place.space() != Space.GENERIC) {
      throw form.error("matrices are loaded from shared memory");
    }
    int[] targets = registers(form, 0, PtxType.B32, count.charAt(1) - '0', true);
    return new LoadMatrix(place, transposed, targets);
  }

  /** The rows of a fragment's registers. */
  private static int[] registers(
      Form form, int index, PtxType type, int count, boolean areResults) {
    Operand operand = form.operand(index);
    List<Operand> parts =
        operand instanceof Operand.Vector(List<Operand> elements) ? elements : List.of(operand);
    if (parts.size() != count) {
      throw form.error(parts.size() + " registers where the matrix has " + count);
    }
    return parts.stream()
        .mapToInt(part -> areResults ? form.target(part, type) : form.source(part, type))
        .toArray();
  }
}
