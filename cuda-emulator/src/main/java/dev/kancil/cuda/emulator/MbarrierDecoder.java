package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.MbarrierInstruction.Arrival;

/** {@code mbarrier}, and {@code cp.async.mbarrier.arrive}. */
final class MbarrierDecoder {
  private MbarrierDecoder() {}

  static Instruction decode(Form form) {
    form.decoder.noteMbarriers();
    String name = form.first();
    form.requires(80);
    return switch (name) {
      case "init" -> {
        MemoryDecoder.Place place = place(form, 0, false);
        form.finish(2);
        yield new MbarrierInstruction.Initialise(place, form.source(1, PtxType.U32));
      }
      case "inval" -> {
        MemoryDecoder.Place place = place(form, 0, false);
        form.finish(1);
        yield new MbarrierInstruction.Invalidate(place);
      }
      case "arrive", "arrive_drop" -> arrive(form, name.equals("arrive_drop"));
      case "test_wait" -> test(form, false);
      case "try_wait" -> test(form, true);
      case "pending_count" -> {
        requireWords(form);
        form.finish(2);
        yield new MbarrierInstruction.PendingCount(
            form.target(0, PtxType.U32), form.source(1, PtxType.B64));
      }
      case "expect_tx", "complete_tx" -> {
        // There are no bytes that could be complete before devices of 9.0.
        form.requires(90);
        order(form, "relaxed");
        MemoryDecoder.Place place = place(form, 0, true);
        form.finish(2);
        yield new MbarrierInstruction.Expect(
            place, form.source(1, PtxType.U32), name.equals("complete_tx"));
      }
      default -> throw form.unknown();
    };
  }

  private static void requireWords(Form form) {
    if (form.type() != PtxType.B64) {
      throw form.unknown();
    }
  }

  /** Takes what follows {@code mbarrier.} and its operation: the space and the type. */
  private static MemoryDecoder.Place place(Form form, int operand, boolean mayBeCluster) {
    // Of a cluster of one block, the block's own.
    boolean isCluster = mayBeCluster && form.has("shared::cluster");
    Space space = isCluster ? Space.SHARED : form.space();
    if (isCluster) {
      form.requires(90);
    }
    requireWords(form);
    if (space != Space.SHARED && space != Space.GENERIC) {
      throw form.unknown();
    }
    form.decoder.noteAccess(Space.SHARED, Long.BYTES);
    return MemoryDecoder.place(form, form.operand(operand), space);
  }

  /** Takes the order and its scope; returns whether it is {@code relaxed}. */
  private static boolean order(Form form, String... orders) {
    String order = form.anyOf(orders);
    String scope = form.anyOf("cta", "cluster");
    boolean isRelaxed = order != null && order.equals("relaxed");
    if (order == null && scope != null) {
      throw form.unknown();
    }
    if (isRelaxed || scope != null && scope.equals("cluster")) {
      form.requires(90);
    }
    return isRelaxed;
  }

  private static Instruction arrive(Form form, boolean drops) {
    boolean expects = form.has("expect_tx");
    boolean completes = !form.has("noComplete");
    boolean isRelaxed = order(form, "release", "relaxed");
    boolean isElsewhere = form.statement.opcode().contains("shared::cluster");
    MemoryDecoder.Place place = place(form, 1, true);
    form.finish(expects || !completes ? 3 : 2, 3);
    boolean hasCount = form.operands() == 3 && !expects;
    if (expects || hasCount && completes) {
      form.requires(90);
    }
    boolean hasState =
        !(form.operand(0) instanceof Operand.Name(String name, _, _) && name.equals("_"));
    if (isElsewhere && hasState || expects && !completes) {
      throw form.unknown();
    }
    return new MbarrierInstruction.Arrive(
        place,
        new Arrival(drops, completes, isRelaxed),
        form.target(0, PtxType.B64),
        hasCount ? form.source(2, PtxType.U32) : form.decoder.rows.ints(new Rows.Constant(1)),
        expects ? form.source(2, PtxType.U32) : -1);
  }

  private static Instruction test(Form form, boolean mayTakeTime) {
    boolean isParity = form.has("parity");
    boolean isRelaxed = order(form, "acquire", "relaxed");
    MemoryDecoder.Place place = place(form, 1, false);
    form.finish(3, mayTakeTime ? 4 : 3);
    if (mayTakeTime) {
      form.requires(90);
    }
    if (form.operands() == 4) {
      // How long it may take is advice.
      form.source(3, PtxType.U32);
    }
    return new MbarrierInstruction.Test(
        place,
        form.target(0, PtxType.PRED),
        form.source(2, isParity ? PtxType.U32 : PtxType.B64),
        isParity,
        isRelaxed);
  }

  /** {@code cp.async.mbarrier.arrive}. */
  static Instruction arriveLate(Form form) {
    form.decoder.noteMbarriers();
    boolean isArrival = form.has("arrive");
    boolean isExtra = !form.has("noinc");
    MemoryDecoder.Place place = place(form, 0, false);
    form.finish(1);
    if (!isArrival) {
      throw form.unknown();
    }
    return new MbarrierInstruction.ArriveLate(place, isExtra);
  }
}
