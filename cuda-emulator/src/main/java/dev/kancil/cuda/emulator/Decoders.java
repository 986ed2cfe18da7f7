package dev.kancil.cuda.emulator;

/** Which class decodes which instruction. */
final class Decoders {
  private Decoders() {}

  /**
   * @throws PtxException if the instruction or one of its modifiers is unknown
   */
  static Instruction decode(Form form) {
    return switch (form.mnemonic) {
      case "add", "sub", "mul", "mad", "fma", "div", "rem", "min", "max", "abs", "neg" ->
          arithmetic(form);
      case "mul24", "mad24", "sad", "dp4a", "dp2a" -> IntegerDecoder.decode(form);
      case "rcp", "sqrt", "rsqrt", "ex2", "lg2", "sin", "cos", "tanh", "copysign", "testp" ->
          functions(form);
      case "and",
          "or",
          "xor",
          "not",
          "cnot",
          "shl",
          "shr",
          "shf",
          "lop3",
          "popc",
          "clz",
          "brev",
          "bfe",
          "bfi",
          "bfind",
          "prmt" ->
          BitDecoder.decode(form);
      case "setp", "set", "selp", "slct" -> ComparisonDecoder.decode(form);
      case "cvt" -> ConversionDecoder.decode(form);
      case "mov", "cvta", "isspacep" -> MoveDecoder.decode(form);
      case "ld", "ldu", "st", "atom", "red", "prefetch", "prefetchu" -> MemoryDecoder.decode(form);
      case "shfl", "vote", "match", "activemask", "redux" -> WarpDecoder.decode(form);
      case "mma", "ldmatrix" -> MatrixDecoder.decode(form);
      case "wgmma" -> WarpgroupDecoder.decode(form);
      case "mbarrier" -> MbarrierDecoder.decode(form);
      case "cp", "createpolicy", "griddepcontrol" -> AsyncDecoder.decode(form);
      case "bar",
          "barrier",
          "membar",
          "fence",
          "bra",
          "brx",
          "ret",
          "exit",
          "trap",
          "nanosleep",
          "pmevent",
          "discard",
          "applypriority" ->
          ControlDecoder.decode(form);
      default -> throw form.unknown();
    };
  }

  private static Instruction arithmetic(Form form) {
    PtxType type = form.type();
    if (type.isHalf()) {
      return HalfDecoder.decode(form, type);
    }
    return switch (type.kind) {
      case FLOAT -> FloatDecoder.decode(form, type);
      case SIGNED, UNSIGNED, BITS -> IntegerDecoder.decode(form, type);
      default -> throw form.unknown();
    };
  }

  private static Instruction functions(Form form) {
    PtxType type = form.type();
    return type.isHalf() ? HalfDecoder.decode(form, type) : FloatDecoder.decode(form, type);
  }
}
