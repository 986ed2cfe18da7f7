package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.RowInstructions.IntOperation;
import dev.kancil.cuda.emulator.RowInstructions.Ints;
import dev.kancil.cuda.emulator.RowInstructions.LongOperation;
import dev.kancil.cuda.emulator.RowInstructions.Longs;

/** Floating-point arithmetic of 32 and 64 bits. */
final class FloatDecoder {
  private FloatDecoder() {}

  static Instruction decode(Form form, PtxType type) {
    if (form.mnemonic.equals("testp")) {
      return ComparisonDecoder.test(form, type);
    }
    if (type.kind != PtxType.Kind.FLOAT) {
      throw form.unknown();
    }
    Rounding rounding = form.rounding();
    boolean approximate = form.has("approx") || form.has("full");
    boolean flush = form.has("ftz");
    boolean saturate = form.has("sat");
    boolean keepsNan = form.has("NaN");
    int sources =
        switch (form.mnemonic) {
          case "mad", "fma" -> 3;
          case "add", "sub", "mul", "div", "min", "max", "copysign" -> 2;
          default -> 1;
        };
    form.finish(sources + 1);
    boolean isExtreme = form.mnemonic.equals("min") || form.mnemonic.equals("max");
    if (keepsNan && !isExtreme || approximate && rounding != Rounding.NEAREST) {
      throw form.unknown();
    }
    if (keepsNan) {
      form.requires(80);
    }
    int d = form.target(0, type);
    int a = form.source(1, type);
    int b = sources > 1 ? form.source(2, type) : a;
    int c = sources > 2 ? form.source(3, type) : a;
    if (type == PtxType.F64) {
      LongOperation operation = DoubleOperations.named(form.mnemonic, keepsNan);
      if (operation == null || rounding != Rounding.NEAREST || saturate) {
        throw form.unknown();
      }
      return new Longs(operation, d, a, b, c);
    }
    IntOperation operation =
        rounding == Rounding.NEAREST
            ? FloatOperations.named(form.mnemonic, keepsNan)
            : FloatOperations.rounded(form.mnemonic, rounding);
    if (operation == null) {
      throw form.unknown();
    }
    return new Ints(FloatOperations.modified(operation, flush, saturate), d, a, b, c);
  }
}
