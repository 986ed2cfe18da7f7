package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PtxType.Kind;
import dev.kancil.cuda.emulator.RowInstructions.Ints;
import java.util.function.LongUnaryOperator;
import org.jspecify.annotations.Nullable;

/** {@code cvt} between numbers of all sizes. */
final class ConversionDecoder {
  private ConversionDecoder() {}

  static Instruction decode(Form form) {
    String toWhole = form.anyOf("rni", "rzi", "rmi", "rpi");
    String rounding = form.anyOf("rn", "rz", "rm", "rp");
    boolean flush = form.has("ftz");
    boolean saturate = form.has("sat");
    boolean relu = form.has("relu");
    PtxType to = form.type();
    PtxType from = form.type();
    boolean isBrain = to == PtxType.BF16 || from == PtxType.BF16;
    boolean isOnlyRounded = to == PtxType.BF16 && from == PtxType.F32;
    if (isBrain && !isOnlyRounded) {
      form.requires(90);
    } else if (isBrain || relu || to.kind == Kind.PACKED) {
      form.requires(80);
    }
    if (to.kind == Kind.PACKED) {
      form.finish(3);
      return pack(form, to, from, rounding, relu);
    }
    form.finish(2);
    if (!isNumber(to) || !isNumber(from) || relu && !to.isHalf()) {
      throw form.unknown();
    }
    Form.Row target = form.wide(form.operand(0), to, true);
    Form.Row source = form.wide(form.operand(1), from, false);
    Rounding mode = Rounding.named(toWhole != null ? toWhole : rounding == null ? "" : rounding);
    LongUnaryOperator conversion;
    if (from.isInteger() && to.isInteger()) {
      conversion = Conversions.betweenWhole(from, to, saturate);
    } else if (from.isInteger()) {
      conversion = Conversions.fromWhole(from, to, mode, saturate);
    } else if (to.isInteger()) {
      // Whole numbers are never rounded up or down by default.
      if (toWhole == null) {
        throw form.unknown();
      }
      conversion = Conversions.toWhole(from, to, mode, flush);
    } else {
      conversion =
          Conversions.betweenFloats(from, to, mode, toWhole != null, flush, saturate, relu);
    }
    if (conversion == null) {
      throw form.unknown();
    }
    return new Conversion(target, source, conversion, form.registerBits(form.operand(0), to));
  }

  private static boolean isNumber(PtxType type) {
    return type.kind != Kind.PREDICATE && type.kind != Kind.PACKED && type.kind != Kind.BITS;
  }

  /** Two floats become halves, the first the upper one. */
  private static Instruction pack(
      Form form, PtxType to, PtxType from, @Nullable String rounding, boolean relu) {
    if (from != PtxType.F32 || rounding == null || rounding.equals("rm") || rounding.equals("rp")) {
      throw form.unknown();
    }
    Rounding mode = Rounding.named(rounding);
    HalfFormat format = HalfFormat.of(to);
    return new Ints(
        (d, a, b, _) -> {
          for (int i = 0; i < Warp.LANES; i++) {
            int high = half(format, a[i], mode, relu);
            d[i] = high << 16 | half(format, b[i], mode, relu);
          }
        },
        form.target(0, to),
        form.source(1, from),
        form.source(2, from),
        form.source(2, from));
  }

  private static int half(HalfFormat format, int bits, Rounding mode, boolean relu) {
    float value = Float.intBitsToFloat(bits);
    return format.round(relu && value <= 0 ? 0 : value, mode);
  }

  private static final class Conversion extends Instruction {
    private final Form.Row target;
    private final Form.Row source;
    private final LongUnaryOperator conversion;
    private final long narrow;

    Conversion(Form.Row target, Form.Row source, LongUnaryOperator conversion, int bits) {
      this.target = target;
      this.source = source;
      this.conversion = conversion;
      // Registers of 8 and 16 bits hold no more than those; wider ones hold the extended number.
      narrow = bits < 32 ? (1L << bits) - 1 : -1;
    }

    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long value =
            source.isLong() ? warp.longs[source.index()][lane] : warp.ints[source.index()][lane];
        long result = conversion.applyAsLong(value) & narrow;
        if (target.isLong()) {
          warp.longs[target.index()][lane] = result;
        } else {
          warp.ints[target.index()][lane] = (int) result;
        }
      }
    }
  }
}
