package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.RowInstructions.Ints;

/** Arithmetic of 16-bit floating-point numbers, one or two in a register. */
final class HalfDecoder {
  /** The exact result, or one rounded to odd. */
  @FunctionalInterface
  private interface Function {
    double apply(double a, double b, double c);
  }

  private HalfDecoder() {}

  static Instruction decode(Form form, PtxType type) {
    HalfFormat format = HalfFormat.of(type);
    form.has("rn");
    form.has("approx");
    boolean flush = form.has("ftz");
    boolean saturate = form.has("sat");
    boolean relu = form.has("relu");
    boolean keepsNan = form.has("NaN");
    int sources =
        switch (form.mnemonic) {
          case "abs", "neg", "ex2", "tanh" -> 1;
          case "fma" -> 3;
          default -> 2;
        };
    boolean isMinimum = form.mnemonic.equals("min");
    form.requires(fewest(form.mnemonic, format));
    if (keepsNan && !isMinimum && !form.mnemonic.equals("max")) {
      throw form.unknown();
    }
    Function function =
        switch (form.mnemonic) {
          case "add" -> (a, b, _) -> a + b;
          case "sub" -> (a, b, _) -> a - b;
          case "mul" -> (a, b, _) -> a * b;
          case "fma" -> (a, b, c) -> Rounding.odd(a * b + c, Rounding.sumError(a * b, c));
          case "abs" -> (a, _, _) -> Math.abs(a);
          case "neg" -> (a, _, _) -> -a;
          case "min", "max" -> (a, b, _) -> FloatOperations.extreme(a, b, isMinimum, keepsNan);
          case "ex2" -> (a, _, _) -> FloatOperations.powerOfTwo(a);
          case "tanh" -> (a, _, _) -> Math.tanh(a);
          default -> throw form.unknown();
        };
    form.finish(sources + 1);
    int d = form.target(0, type);
    int a = form.source(1, type);
    int b = sources > 1 ? form.source(2, type) : a;
    int c = sources > 2 ? form.source(3, type) : a;
    boolean packed = type.kind == PtxType.Kind.PACKED;
    return new Ints(
        (result, first, second, third) -> {
          for (int i = 0; i < Warp.LANES; i++) {
            int low = apply(function, format, first[i], second[i], third[i], flush, saturate, relu);
            int high =
                packed
                    ? apply(
                        function,
                        format,
                        first[i] >>> 16,
                        second[i] >>> 16,
                        third[i] >>> 16,
                        flush,
                        saturate,
                        relu)
                    : 0;
            result[i] = high << 16 | low;
          }
        },
        d,
        a,
        b,
        c);
  }

  /** The compute capability that an instruction came with (PTX ISA, "Target ISA Notes"). */
  private static int fewest(String mnemonic, HalfFormat format) {
    boolean isBrain = format == HalfFormat.BF16;
    return switch (mnemonic) {
      case "add", "sub", "mul", "ex2", "tanh" -> isBrain ? 90 : 75;
      case "min", "max" -> 80;
      default -> isBrain ? 80 : 75;
    };
  }

  private static int apply(
      Function function,
      HalfFormat format,
      int a,
      int b,
      int c,
      boolean flush,
      boolean saturate,
      boolean relu) {
    double value =
        function.apply(
            number(format, a, flush), number(format, b, flush), number(format, c, flush));
    if (saturate) {
      value = FloatOperations.saturate(value);
    }
    if (relu) {
      value = value > 0 || Double.isNaN(value) ? value : 0;
    }
    int bits = format.round(value, Rounding.NEAREST);
    return flush ? format.flush(bits) : bits;
  }

  private static float number(HalfFormat format, int bits, boolean flush) {
    return format.toFloat((flush ? format.flush(bits) : bits) & 0xffff);
  }
}
