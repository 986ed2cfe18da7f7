package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.PredicateInstructions.Comparison;
import dev.kancil.cuda.emulator.RowInstructions.IntTest;
import dev.kancil.cuda.emulator.RowInstructions.Ints;
import dev.kancil.cuda.emulator.RowInstructions.LongTest;
import org.jspecify.annotations.Nullable;

/** {@code setp}, {@code set}, {@code selp}, {@code slct}, {@code testp}. */
final class ComparisonDecoder {
  private static final String[] RELATIONS = {
    "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu",
    "geu", "num", "nan"
  };

  private ComparisonDecoder() {}

  static Instruction decode(Form form) {
    return switch (form.mnemonic) {
      case "selp" -> select(form);
      case "slct" -> selectBySign(form);
      default -> set(form);
    };
  }

  private static Instruction set(Form form) {
    String relation = form.anyOf(RELATIONS);
    String combination = form.anyOf("and", "or", "xor");
    boolean flush = form.has("ftz");
    if (relation == null) {
      throw form.unknown();
    }
    boolean toPredicate = form.mnemonic.equals("setp");
    PtxType resultType = toPredicate ? PtxType.PRED : form.type();
    PtxType type = form.type();
    int sources = combination == null ? 3 : 4;
    form.finish(sources);
    if (type == PtxType.BF16 || type == PtxType.BF16X2) {
      form.requires(90);
    }
    if (type.kind == PtxType.Kind.PACKED) {
      return PackedComparison.decode(form, relation, resultType, type);
    }
    Comparison comparison = comparison(form, relation, type, flush);
    Form.Predicate third = combination == null ? null : form.predicate(3);
    String how = combination == null ? "" : combination;
    if (!toPredicate) {
      int value =
          switch (resultType) {
            case F32 -> Float.floatToRawIntBits(1);
            case U32, S32 -> -1;
            case F16, BF16 -> HalfFormat.of(resultType).round(1, Rounding.NEAREST);
            default -> throw form.unknown();
          };
      int d = form.target(0, resultType);
      return new PredicateInstructions.SetValue(comparison, how, third, d, value);
    }
    int p;
    int q = -1;
    if (form.operand(0) instanceof Operand.Pair(Operand first, Operand second)) {
      p = form.target(first, PtxType.PRED);
      q = form.target(second, PtxType.PRED);
    } else {
      p = form.target(0, PtxType.PRED);
    }
    return new PredicateInstructions.Set(comparison, how, third, p, q);
  }

  private static Comparison comparison(Form form, String relation, PtxType type, boolean flush) {
    int a = form.source(1, type);
    int b = form.source(2, type);
    if (type.kind == PtxType.Kind.FLOAT || type.kind == PtxType.Kind.BFLOAT) {
      return Comparisons.ofFloats(form, relation, type, a, b, flush);
    }
    if (!type.isInteger() || type.bits < 16 || flush) {
      throw form.unknown();
    }
    boolean swap;
    boolean invert;
    switch (relation) {
      case "eq", "ne" -> {
        IntTest test = Comparisons::equal;
        LongTest longTest = Comparisons::equal;
        return new Comparison(
            type.isLong() ? null : test,
            type.isLong() ? longTest : null,
            a,
            b,
            relation.equals("ne"));
      }
      case "lt", "lo" -> {
        swap = false;
        invert = false;
      }
      case "ge", "hs" -> {
        swap = false;
        invert = true;
      }
      case "gt", "hi" -> {
        swap = true;
        invert = false;
      }
      case "le", "ls" -> {
        swap = true;
        invert = true;
      }
      default -> throw form.unknown();
    }
    boolean wrongSign = relation.matches("lo|ls|hi|hs") && type.isSigned();
    if (wrongSign || type.kind == PtxType.Kind.BITS) {
      throw form.unknown();
    }
    return new Comparison(
        type.isLong() ? null : Comparisons.less(type),
        type.isLong() ? Comparisons.longLess(type.isSigned()) : null,
        swap ? b : a,
        swap ? a : b,
        invert);
  }

  private static Instruction select(Form form) {
    PtxType type = form.type();
    form.finish(4);
    if (type.bits < 16) {
      throw form.unknown();
    }
    int d = form.target(0, type);
    int a = form.source(1, type);
    int b = form.source(2, type);
    Form.Predicate predicate = form.predicate(3);
    return type.isLong()
        ? new PredicateInstructions.SelectLongs(d, a, b, predicate)
        : new PredicateInstructions.SelectInts(d, a, b, predicate);
  }

  private static Instruction selectBySign(Form form) {
    form.has("ftz");
    PtxType type = form.type();
    PtxType by = form.type();
    form.finish(4);
    if (by != PtxType.S32 && by != PtxType.F32) {
      throw form.unknown();
    }
    int d = form.target(0, type);
    int a = form.source(1, type);
    int b = form.source(2, type);
    int c = form.source(3, by);
    boolean whole = by == PtxType.S32;
    if (type.isLong()) {
      return new LongBySign(d, a, b, c, whole);
    }
    return new Ints(
        (result, first, second, sign) -> {
          for (int i = 0; i < Warp.LANES; i++) {
            result[i] = isFirst(sign[i], whole) ? first[i] : second[i];
          }
        },
        d,
        a,
        b,
        c);
  }

  private static boolean isFirst(int sign, boolean whole) {
    return whole ? sign >= 0 : Float.intBitsToFloat(sign) >= 0;
  }

  private static final class LongBySign extends Instruction {
    private final int d;
    private final int a;
    private final int b;
    private final int c;
    private final boolean whole;

    LongBySign(int d, int a, int b, int c, boolean whole) {
      this.d = d;
      this.a = a;
      this.b = b;
      this.c = c;
      this.whole = whole;
    }

    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        warp.longs[d][lane] =
            isFirst(warp.ints[c][lane], whole) ? warp.longs[a][lane] : warp.longs[b][lane];
      }
    }
  }

  /** {@code testp}. */
  static Instruction test(Form form, PtxType type) {
    String property =
        form.anyOf("finite", "infinite", "number", "notanumber", "normal", "subnormal");
    form.finish(2);
    if (property == null) {
      throw form.unknown();
    }
    int a = form.source(1, type);
    int p = form.target(0, PtxType.PRED);
    @Nullable IntTest test = type.isLong() ? null : Comparisons.property(property);
    @Nullable LongTest longTest = type.isLong() ? Comparisons.longProperty(property) : null;
    return new PredicateInstructions.Set(
        new Comparison(test, longTest, a, a, false), "", null, p, -1);
  }
}
