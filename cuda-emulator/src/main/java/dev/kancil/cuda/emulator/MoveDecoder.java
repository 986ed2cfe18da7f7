package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.RowInstructions.Ints;
import dev.kancil.cuda.emulator.RowInstructions.Longs;
import java.util.List;

/** {@code mov}, {@code cvta}, {@code isspacep}. */
final class MoveDecoder {
  private MoveDecoder() {}

  static Instruction decode(Form form) {
    return switch (form.mnemonic) {
      case "mov" -> move(form);
      case "cvta" -> convertAddress(form);
      default -> testAddress(form);
    };
  }

  private static Instruction move(Form form) {
    PtxType type = form.type();
    form.finish(2);
    if (form.operand(0) instanceof Operand.Vector(List<Operand> parts)) {
      return new Unpack(
          form, parts, new Form.Row(form.source(1, type), type.isLong()), part(form, type, parts));
    }
    if (form.operand(1) instanceof Operand.Vector(List<Operand> parts)) {
      return new Pack(
          form, new Form.Row(form.target(0, type), type.isLong()), parts, part(form, type, parts));
    }
    if (type == PtxType.PRED) {
      Form.Predicate source = form.predicate(1);
      return new PredicateInstructions.Logic("", form.target(0, type), source, source);
    }
    if (form.operand(1) instanceof Operand.Name(String name, _, _)
        && name.matches("%clock|%clock_hi|%clock64|%globaltimer|%globaltimer_lo")) {
      return new Clock(form.target(0, type), type.isLong(), name.endsWith("_hi"));
    }
    int d = form.target(0, type);
    int a = form.source(1, type);
    if (type.isLong()) {
      return new Longs((to, from, _, _) -> copy(from, to), d, a, a, a);
    }
    return new Ints((to, from, _, _) -> copy(from, to), d, a, a, a);
  }

  private static void copy(int[] from, int[] to) {
    System.arraycopy(from, 0, to, 0, Warp.LANES);
  }

  private static void copy(long[] from, long[] to) {
    System.arraycopy(from, 0, to, 0, Warp.LANES);
  }

  private static PtxType part(Form form, PtxType type, List<Operand> parts) {
    if (type.kind != PtxType.Kind.BITS || parts.isEmpty()) {
      throw form.unknown();
    }
    PtxType part = PtxType.named("b" + type.bits / parts.size());
    if (part == null || parts.size() * part.bits != type.bits || part == type) {
      throw form.error(parts.size() + " parts of " + type.text());
    }
    return part;
  }

  /** {@code mov.b32 {a, b}, c}: c's bits, the lowest first. */
  private static final class Unpack extends Instruction {
    private final Form.Row source;
    private final int[] parts;
    private final int bits;

    Unpack(Form form, List<Operand> parts, Form.Row source, PtxType part) {
      this.source = source;
      this.parts = parts.stream().mapToInt(name -> form.target(name, part)).toArray();
      bits = part.bits;
    }

    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long value =
            source.isLong() ? warp.longs[source.index()][lane] : warp.ints[source.index()][lane];
        for (int i = 0; i < parts.length; i++) {
          warp.ints[parts[i]][lane] = (int) (value >>> i * bits & (1L << bits) - 1);
        }
      }
    }
  }

  /** {@code mov.b32 c, {a, b}}. */
  private static final class Pack extends Instruction {
    private final Form.Row target;
    private final int[] parts;
    private final int bits;

    Pack(Form form, Form.Row target, List<Operand> parts, PtxType part) {
      this.target = target;
      this.parts = parts.stream().mapToInt(name -> form.source(name, part)).toArray();
      bits = part.bits;
    }

    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        long value = 0;
        for (int i = 0; i < parts.length; i++) {
          value |= (warp.ints[parts[i]][lane] & (1L << bits) - 1) << i * bits;
        }
        if (target.isLong()) {
          warp.longs[target.index()][lane] = value;
        } else {
          warp.ints[target.index()][lane] = (int) value;
        }
      }
    }
  }

  /** Time, in nanoseconds for all clocks. */
  private static final class Clock extends Instruction {
    private final int d;
    private final boolean isLong;
    private final boolean isHigh;

    Clock(int d, boolean isLong, boolean isHigh) {
      this.d = d;
      this.isLong = isLong;
      this.isHigh = isHigh;
    }

    @Override
    void run(Warp warp, int mask) {
      long now = System.nanoTime();
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        if (isLong) {
          warp.longs[d][lane] = now;
        } else {
          warp.ints[d][lane] = (int) (isHigh ? now >> 32 : now);
        }
      }
    }
  }

  private static Instruction convertAddress(Form form) {
    boolean fromGeneric = form.has("to");
    Space space = form.space();
    PtxType type = form.type();
    form.finish(2);
    if (type != PtxType.U64 || space == Space.GENERIC) {
      throw form.unknown();
    }
    long difference = fromGeneric ? -space.window : space.window;
    int a = form.source(1, type);
    return new Longs(
        (to, from, _, _) -> {
          for (int i = 0; i < Warp.LANES; i++) {
            to[i] = from[i] + difference;
          }
        },
        form.target(0, type),
        a,
        a,
        a);
  }

  private static Instruction testAddress(Form form) {
    Space space = form.space();
    form.finish(2);
    if (space == Space.GENERIC) {
      throw form.unknown();
    }
    Space sought = space == Space.CONST ? Space.GLOBAL : space;
    int a = form.source(1, PtxType.U64);
    return new PredicateInstructions.Set(
        new PredicateInstructions.Comparison(
            null,
            (addresses, _) -> {
              int result = 0;
              for (int i = 0; i < Warp.LANES; i++) {
                result |= (Space.of(addresses[i]) == sought ? 1 : 0) << i;
              }
              return result;
            },
            a,
            a,
            false),
        "",
        null,
        form.target(0, PtxType.PRED),
        -1);
  }
}
