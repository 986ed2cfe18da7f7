package dev.kancil.cuda.emulator;

import org.jspecify.annotations.Nullable;

/** Instructions whose lanes exchange data. */
final class WarpDecoder {
  private WarpDecoder() {}

  static Instruction decode(Form form) {
    if (form.mnemonic.equals("activemask")) {
      PtxType type = form.type();
      form.finish(1);
      return new ActiveMask(form.target(0, type));
    }
    // Without it they are of old devices.
    if (!form.has("sync")) {
      throw form.unknown();
    }
    return switch (form.mnemonic) {
      case "shfl" -> shuffle(form);
      case "vote" -> vote(form);
      case "match" -> match(form);
      default -> reduce(form);
    };
  }

  private static Instruction shuffle(Form form) {
    String mode = form.anyOf("up", "down", "bfly", "idx");
    PtxType type = form.type();
    form.finish(5);
    if (mode == null || type != PtxType.B32) {
      throw form.unknown();
    }
    Operand target = form.operand(0);
    int p = -1;
    if (target instanceof Operand.Pair(Operand first, Operand second)) {
      target = first;
      p = form.target(second, PtxType.PRED);
    }
    return new Shuffle(
        form.source(4, PtxType.B32),
        mode,
        form.target(target, type),
        p,
        form.source(1, type),
        form.source(2, PtxType.B32),
        form.source(3, PtxType.B32));
  }

  private static Instruction vote(Form form) {
    String mode = form.anyOf("all", "any", "uni", "ballot");
    PtxType type = form.type();
    form.finish(3);
    boolean ballot = "ballot".equals(mode);
    if (mode == null || type != (ballot ? PtxType.B32 : PtxType.PRED)) {
      throw form.unknown();
    }
    return new Vote(form.source(2, PtxType.B32), mode, form.target(0, type), form.predicate(1));
  }

  private static Instruction match(Form form) {
    String mode = form.anyOf("any", "all");
    PtxType type = form.type();
    form.finish(3);
    if (mode == null || type.kind != PtxType.Kind.BITS || type.bits < 32) {
      throw form.unknown();
    }
    Operand target = form.operand(0);
    int p = -1;
    if (target instanceof Operand.Pair(Operand first, Operand second)) {
      target = first;
      p = form.target(second, PtxType.PRED);
    }
    return new Match(
        form.source(2, PtxType.B32),
        mode.equals("all"),
        form.target(target, PtxType.B32),
        p,
        new Form.Row(form.source(1, type), type.isLong()));
  }

  private static Instruction reduce(Form form) {
    String name = form.anyOf("add", "min", "max", "and", "or", "xor");
    PtxType type = form.type();
    form.finish(3);
    if (name == null || type.bits != 32 || !type.isInteger()) {
      throw form.unknown();
    }
    form.requires(80);
    return new Reduction(
        form.source(2, PtxType.B32),
        name,
        type.isSigned(),
        form.target(0, type),
        form.source(1, type));
  }

  private static final class ActiveMask extends Instruction {
    private final int d;

    ActiveMask(int d) {
      this.d = d;
    }

    @Override
    void run(Warp warp, int mask) {
      for (int m = mask; m != 0; m &= m - 1) {
        warp.ints[d][Integer.numberOfTrailingZeros(m)] = mask;
      }
    }
  }

  /** {@code shfl.sync}. */
  private static final class Shuffle extends GatheringInstruction {
    private final String mode;
    private final int d;
    private final int p;
    private final int a;
    private final int b;
    private final int c;

    Shuffle(int members, String mode, int d, int p, int a, int b, int c) {
      super(members);
      this.mode = mode;
      this.d = d;
      this.p = p;
      this.a = a;
      this.b = b;
      this.c = c;
    }

    @Override
    void exchange(Warp warp, int mask) {
      int[] values = warp.ints[a];
      int[] result = warp.intResult(d, 0);
      int valid = 0;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int segment = warp.ints[c][lane] >> 8 & 31;
        int last = lane & segment | warp.ints[c][lane] & 31 & ~segment;
        int distance = warp.ints[b][lane] & 31;
        int source =
            switch (mode) {
              case "up" -> lane - distance;
              case "down" -> lane + distance;
              case "bfly" -> lane ^ distance;
              default -> lane & segment | distance & ~segment;
            };
        boolean inRange = mode.equals("up") ? source >= last : source <= last;
        source = inRange ? source : lane;
        valid |= inRange ? 1 << lane : 0;
        // What a lane that is not here would give is undefined.
        result[lane] = (mask >>> source & 1) != 0 ? values[source] : Warp.POISON;
      }
      int[] row = warp.ints[d];
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        row[lane] = result[lane];
      }
      if (p >= 0) {
        warp.keepPredicate(p, mask, valid);
      }
    }
  }

  /** {@code vote.sync}. */
  private static final class Vote extends GatheringInstruction {
    private final String mode;
    private final int d;
    private final Form.Predicate predicate;

    Vote(int members, String mode, int d, Form.Predicate predicate) {
      super(members);
      this.mode = mode;
      this.d = d;
      this.predicate = predicate;
    }

    @Override
    void exchange(Warp warp, int mask) {
      int votes = predicate.value(warp) & mask;
      int result = 0;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int present = members(warp, lane) & mask;
        int yes = votes & present;
        boolean holds =
            switch (mode) {
              case "all" -> yes == present;
              case "any" -> yes != 0;
              default -> yes == present || yes == 0;
            };
        if (mode.equals("ballot")) {
          warp.ints[d][lane] = yes;
        } else {
          result |= holds ? 1 << lane : 0;
        }
      }
      if (!mode.equals("ballot")) {
        warp.keepPredicate(d, mask, result);
      }
    }
  }

  /** {@code match.sync}. */
  private static final class Match extends GatheringInstruction {
    private final boolean all;
    private final int d;
    private final int p;
    private final Form.Row a;

    Match(int members, boolean all, int d, int p, Form.Row a) {
      super(members);
      this.all = all;
      this.d = d;
      this.p = p;
      this.a = a;
    }

    @Override
    void exchange(Warp warp, int mask) {
      int[] results = warp.intResult(d, 0);
      int agreed = 0;
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int present = members(warp, lane) & mask;
        int same = 0;
        for (int n = present; n != 0; n &= n - 1) {
          int other = Integer.numberOfTrailingZeros(n);
          same |= value(warp, other) == value(warp, lane) ? 1 << other : 0;
        }
        agreed |= same == present ? 1 << lane : 0;
        results[lane] = !all || same == present ? same : 0;
      }
      int[] row = warp.ints[d];
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        row[lane] = results[lane];
      }
      if (p >= 0) {
        warp.keepPredicate(p, mask, agreed);
      }
    }

    private long value(Warp warp, int lane) {
      return a.isLong() ? warp.longs[a.index()][lane] : warp.ints[a.index()][lane];
    }
  }

  /** {@code redux.sync}. */
  private static final class Reduction extends GatheringInstruction {
    private final String name;
    private final boolean signed;
    private final int d;
    private final int a;

    Reduction(int members, String name, boolean signed, int d, int a) {
      super(members);
      this.name = name;
      this.signed = signed;
      this.d = d;
      this.a = a;
    }

    @Override
    void exchange(Warp warp, int mask) {
      int[] values = warp.ints[a].clone();
      for (int m = mask; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        @Nullable Integer sum = null;
        for (int n = members(warp, lane) & mask; n != 0; n &= n - 1) {
          int value = values[Integer.numberOfTrailingZeros(n)];
          sum = sum == null ? value : combine(sum, value);
        }
        warp.ints[d][lane] = sum == null ? 0 : sum;
      }
    }

    private int combine(int a, int b) {
      boolean less = signed ? a < b : Integer.compareUnsigned(a, b) < 0;
      return switch (name) {
        case "add" -> a + b;
        case "min" -> less ? a : b;
        case "max" -> less ? b : a;
        case "and" -> a & b;
        case "or" -> a | b;
        default -> a ^ b;
      };
    }
  }
}
