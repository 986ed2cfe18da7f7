package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.RowInstructions.IntOperation;
import dev.kancil.cuda.emulator.RowInstructions.Ints;
import dev.kancil.cuda.emulator.RowInstructions.LongOperation;
import dev.kancil.cuda.emulator.RowInstructions.Longs;
import dev.kancil.cuda.emulator.RowInstructions.NarrowingOperation;
import dev.kancil.cuda.emulator.RowInstructions.Shifting;

/** Logic, shifts and bit fields. */
final class BitDecoder {
  private BitDecoder() {}

  static Instruction decode(Form form) {
    return switch (form.mnemonic) {
      case "and", "or", "xor", "not", "cnot" -> logic(form);
      case "shl", "shr" -> shift(form);
      case "shf" -> funnel(form);
      case "lop3" -> {
        PtxType type = form.type();
        form.finish(5);
        if (type != PtxType.B32
            || !(form.operand(4) instanceof Operand.Whole(long table))
            || table < 0
            || table > 255) {
          throw form.unknown();
        }
        yield new Ints(
            BitOperations.lop3((int) table),
            form.target(0, type),
            form.source(1, type),
            form.source(2, type),
            form.source(3, type));
      }
      case "prmt" -> {
        PtxType type = form.type();
        form.finish(4);
        yield new Ints(
            BitOperations::permute,
            form.target(0, type),
            form.source(1, type),
            form.source(2, type),
            form.source(3, type));
      }
      case "bfe" -> extract(form);
      case "bfi" -> BitFieldInsert.decode(form);
      default -> count(form);
    };
  }

  private static Instruction logic(Form form) {
    PtxType type = form.type();
    boolean unary = form.mnemonic.equals("not") || form.mnemonic.equals("cnot");
    form.finish(unary ? 2 : 3);
    if (type == PtxType.PRED) {
      Form.Predicate a = form.predicate(1);
      return new PredicateInstructions.Logic(
          form.mnemonic, form.target(0, type), a, unary ? a : form.predicate(2));
    }
    if (type.kind != PtxType.Kind.BITS) {
      throw form.unknown();
    }
    int a = form.source(1, type);
    int b = unary ? a : form.source(2, type);
    if (type.isLong()) {
      return new Longs(BitOperations.longLogic(form.mnemonic), form.target(0, type), a, b, a);
    }
    IntOperation operation = BitOperations.logic(form.mnemonic, (int) ((1L << type.bits) - 1));
    return new Ints(operation, form.target(0, type), a, b, a);
  }

  private static Instruction shift(Form form) {
    PtxType type = form.type();
    form.finish(3);
    boolean left = form.mnemonic.equals("shl");
    if (!type.isInteger() || type.bits < 16 || left && type.kind != PtxType.Kind.BITS) {
      throw form.unknown();
    }
    int d = form.target(0, type);
    int a = form.source(1, type);
    int b = form.source(2, PtxType.B32);
    if (type.isLong()) {
      return new Shifting(BitOperations.longShift(left, type.isSigned()), d, a, b, b);
    }
    return new Ints(BitOperations.shift(left, type.isSigned(), type.bits), d, a, b, b);
  }

  private static Instruction funnel(Form form) {
    boolean left = form.has("l");
    boolean right = form.has("r");
    boolean clamp = form.has("clamp");
    boolean wrap = form.has("wrap");
    PtxType type = form.type();
    form.finish(4);
    if (left == right || clamp == wrap) {
      throw form.unknown();
    }
    return new Ints(
        BitOperations.funnel(left, clamp),
        form.target(0, type),
        form.source(1, type),
        form.source(2, type),
        form.source(3, PtxType.B32));
  }

  private static Instruction extract(Form form) {
    PtxType type = form.type();
    form.finish(4);
    if (!type.isInteger() || type.bits < 32 || type.kind == PtxType.Kind.BITS) {
      throw form.unknown();
    }
    int d = form.target(0, type);
    int a = form.source(1, type);
    int b = form.source(2, PtxType.B32);
    int c = form.source(3, PtxType.B32);
    return type.isLong()
        ? new Shifting(BitOperations.longExtract(type.isSigned()), d, a, b, c)
        : new Ints(BitOperations.extract(type.isSigned()), d, a, b, c);
  }

  /** Bits of 32 or 64; all but brev give 32 bits. */
  private static Instruction count(Form form) {
    boolean shiftAmount = form.mnemonic.equals("bfind") && form.has("shiftamt");
    PtxType type = form.type();
    form.finish(2);
    if (!type.isInteger() || type.bits < 32) {
      throw form.unknown();
    }
    int a = form.source(1, type);
    if (form.mnemonic.equals("brev")) {
      LongOperation reverse = BitOperations::reverse;
      return type.isLong()
          ? new Longs(reverse, form.target(0, type), a, a, a)
          : new Ints(BitOperations::reverse, form.target(0, type), a, a, a);
    }
    int d = form.target(0, PtxType.B32);
    if (type.isLong()) {
      NarrowingOperation operation =
          BitOperations.longCount(form.mnemonic, type.isSigned(), shiftAmount);
      return new RowInstructions.Narrowing(operation, d, a);
    }
    return new Ints(BitOperations.count(form.mnemonic, type.isSigned(), shiftAmount), d, a, a, a);
  }
}
