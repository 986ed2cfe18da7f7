package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.RowInstructions.IntOperation;
import dev.kancil.cuda.emulator.RowInstructions.Ints;
import dev.kancil.cuda.emulator.RowInstructions.LongOperation;
import dev.kancil.cuda.emulator.RowInstructions.Longs;
import dev.kancil.cuda.emulator.RowInstructions.Widening;

/** Integer arithmetic. */
final class IntegerDecoder {
  private IntegerDecoder() {}

  static Instruction decode(Form form) {
    return switch (form.mnemonic) {
      case "dp4a", "dp2a" -> dotProduct(form);
      default -> decode(form, form.type());
    };
  }

  private static Instruction dotProduct(Form form) {
    boolean ofHalves = form.mnemonic.equals("dp2a");
    String part = ofHalves ? form.anyOf("lo", "hi") : "";
    PtxType a = form.type();
    PtxType b = form.type();
    form.finish(4);
    if (part == null || !isWord(a) || !isWord(b)) {
      throw form.unknown();
    }
    IntOperation operation =
        ofHalves
            ? IntegerOperations.dp2a(a.isSigned(), b.isSigned(), part.equals("hi"))
            : IntegerOperations.dp4a(a.isSigned(), b.isSigned());
    return new Ints(
        operation,
        form.target(0, PtxType.B32),
        form.source(1, PtxType.B32),
        form.source(2, PtxType.B32),
        form.source(3, PtxType.B32));
  }

  private static boolean isWord(PtxType type) {
    return type == PtxType.S32 || type == PtxType.U32;
  }

  /**
   * @param type that was already taken
   */
  static Instruction decode(Form form, PtxType type) {
    if (type.bits < 16 || type.kind == PtxType.Kind.BITS) {
      throw form.unknown();
    }
    if (form.has("wide")) {
      return wide(form, type);
    }
    String part = form.anyOf("lo", "hi");
    boolean saturate = form.has("sat");
    boolean takesPart =
        switch (form.mnemonic) {
          case "mul", "mad", "mul24", "mad24" -> true;
          default -> false;
        };
    if (takesPart != (part != null)) {
      throw form.unknown();
    }
    String name = form.mnemonic + (part == null ? "" : "." + part) + (saturate ? ".sat" : "");
    int sources =
        switch (form.mnemonic) {
          case "abs", "neg" -> 1;
          case "mad", "mad24", "sad" -> 3;
          default -> 2;
        };
    form.finish(sources + 1);
    int d = form.target(0, type);
    int a = form.source(1, type);
    int b = sources > 1 ? form.source(2, type) : a;
    int c = sources > 2 ? form.source(3, type) : a;
    if (type.isLong()) {
      LongOperation operation = LongOperations.named(name, type.isSigned());
      if (operation != null) {
        return new Longs(operation, d, a, b, c);
      }
    } else {
      IntOperation operation =
          type.bits == 16
              ? ShortOperations.named(name, type.isSigned())
              : IntegerOperations.named(name, type.isSigned());
      if (operation != null) {
        return new Ints(operation, d, a, b, c);
      }
    }
    throw form.unknown();
  }

  private static Instruction wide(Form form, PtxType type) {
    boolean add = form.mnemonic.equals("mad");
    if (!add && !form.mnemonic.equals("mul")) {
      throw form.unknown();
    }
    form.finish(add ? 4 : 3);
    if (type.isLong()) {
      throw form.unknown();
    }
    int a = form.source(1, type);
    int b = form.source(2, type);
    if (type.bits == 16) {
      int d = form.target(0, type.isSigned() ? PtxType.S32 : PtxType.U32);
      int c = add ? form.source(3, type.isSigned() ? PtxType.S32 : PtxType.U32) : a;
      return new Ints(ShortOperations.wide(type.isSigned(), add), d, a, b, c);
    }
    int d = form.target(0, type.isSigned() ? PtxType.S64 : PtxType.U64);
    int c = add ? form.source(3, type.isSigned() ? PtxType.S64 : PtxType.U64) : -1;
    return new Widening(LongOperations.wide(type.isSigned(), add), d, a, b, c);
  }
}
