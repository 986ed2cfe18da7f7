package dev.kancil.cuda.emulator;

import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * {@code atom} and {@code red}. Lanes come one after the other; nothing else runs in the block,
 * nor, where global memory is concerned, on the device.
 */
final class AtomicInstruction extends MemoryInstruction {
  private final PtxType type;
  private final LongBinaryOperator operation;
  private final boolean compares;
  private final int result;
  private final int operand;
  private final int swapped;

  private AtomicInstruction(
      MemoryDecoder.Place place,
      PtxType type,
      LongBinaryOperator operation,
      boolean compares,
      int result,
      int operand,
      int swapped) {
    super(place.space(), place.base(), place.offset(), type.bytes(), Access.ATOMIC);
    this.type = type;
    this.operation = operation;
    this.compares = compares;
    this.result = result;
    this.operand = operand;
    this.swapped = swapped;
  }

  static Instruction decode(Form form) {
    boolean returns = form.mnemonic.equals("atom");
    Space space = form.space();
    form.ignoreHints();
    String name = form.anyOf("add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec");
    form.has("noftz");
    PtxType type = form.type();
    if (type == PtxType.BF16 || type == PtxType.BF16X2) {
      form.requires(90);
    }
    boolean compares = "cas".equals(name);
    int first = returns ? 1 : 0;
    form.finish(first + (compares ? 3 : 2));
    boolean swaps = compares || "exch".equals(name);
    LongBinaryOperator operation = name == null ? null : operation(name, type, space);
    if (operation == null || !returns && swaps || type.bits < 16) {
      throw form.unknown();
    }
    MemoryDecoder.Place place = MemoryDecoder.place(form, form.operand(first), space);
    if (place.space() != Space.GLOBAL
        && place.space() != Space.SHARED
        && place.space() != Space.GENERIC) {
      throw form.unknown();
    }
    form.decoder.noteAccess(place.space(), type.bytes());
    if (place.space() != Space.SHARED) {
      form.decoder.noteAtomic();
    }
    int operand = form.source(first + 1, type);
    return new AtomicInstruction(
        place,
        type,
        operation,
        compares,
        returns ? form.target(0, type) : -1,
        operand,
        compares ? form.source(first + 2, type) : operand);
  }

  private static @Nullable LongBinaryOperator operation(String name, PtxType type, Space space) {
    boolean isWord = type.bits >= 32 && type.isInteger();
    boolean isBits = type.kind == PtxType.Kind.BITS;
    boolean signed = type.isSigned();
    boolean isNumber = isWord && !isBits;
    return switch (name) {
      case "add" -> isNumber ? Long::sum : floatSum(type, space);
      case "min" -> isNumber ? (a, b) -> isLess(a, b, signed) ? a : b : null;
      case "max" -> isNumber ? (a, b) -> isLess(a, b, signed) ? b : a : null;
      case "and" -> isWord && isBits ? (a, b) -> a & b : null;
      case "or" -> isWord && isBits ? (a, b) -> a | b : null;
      case "xor" -> isWord && isBits ? (a, b) -> a ^ b : null;
      case "exch" -> isWord && isBits ? (_, b) -> b : null;
      case "cas" -> isBits ? (_, b) -> b : null;
      case "inc" -> type == PtxType.U32 ? (a, b) -> isLess(a, b, false) ? a + 1 : 0 : null;
      case "dec" ->
          type == PtxType.U32 ? (a, b) -> a == 0 || isLess(b, a, false) ? b : a - 1 : null;
      default -> null;
    };
  }

  private static boolean isLess(long a, long b, boolean signed) {
    return signed ? a < b : Long.compareUnsigned(a, b) < 0;
  }

  private static @Nullable LongBinaryOperator floatSum(PtxType type, Space space) {
    return switch (type) {
      case F32 ->
          space == Space.SHARED
              ? (a, b) -> sum((int) a, (int) b)
              : (a, b) -> flushed(sum(flushed((int) a), flushed((int) b)));
      case F64 ->
          (a, b) ->
              Double.doubleToRawLongBits(Double.longBitsToDouble(a) + Double.longBitsToDouble(b));
      case F16, BF16 -> (a, b) -> halfSum(HalfFormat.of(type), (int) a, (int) b);
      case F16X2, BF16X2 ->
          (a, b) ->
              (long) halfSum(HalfFormat.of(type), (int) a >>> 16, (int) b >>> 16) << 16
                  | halfSum(HalfFormat.of(type), (int) a & 0xffff, (int) b & 0xffff);
      default -> null;
    };
  }

  private static int sum(int a, int b) {
    return Float.floatToRawIntBits(Float.intBitsToFloat(a) + Float.intBitsToFloat(b));
  }

  /** Subnormal numbers are zero where global memory adds (PTX ISA, "atom"). */
  private static int flushed(int bits) {
    return (bits & 0x7f80_0000) == 0 ? bits & 0x8000_0000 : bits;
  }

  private static int halfSum(HalfFormat format, int a, int b) {
    double sum = (double) format.toFloat(a) + format.toFloat(b);
    return format.round(sum, Rounding.NEAREST);
  }

  @Override
  void run(Warp warp, int mask) {
    long[] at = locate(warp, mask);
    for (int m = mask; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      long old = get(at[lane]);
      long given = register(warp, operand, lane);
      if (!compares) {
        set(at[lane], operation.applyAsLong(old, given));
      } else if (old == given) {
        set(at[lane], register(warp, swapped, lane));
      }
      if (result >= 0) {
        if (type.isLong()) {
          warp.longs[result][lane] = old;
        } else {
          warp.ints[result][lane] = (int) old;
        }
      }
    }
  }

  private long register(Warp warp, int row, int lane) {
    return type.isLong() ? warp.longs[row][lane] : Conversions.extend(warp.ints[row][lane], type);
  }

  private long get(long address) {
    return switch (type.bits) {
      case 16 -> Memory.getShort(address) & 0xffff;
      case 32 -> Conversions.extend(Memory.getInt(address), type);
      default -> Memory.getLong(address);
    };
  }

  private void set(long address, long value) {
    switch (type.bits) {
      case 16 -> Memory.set(address, (short) value);
      case 32 -> Memory.set(address, (int) value);
      default -> Memory.set(address, value);
    }
  }
}
