package dev.kancil.cuda.emulator;

import dev.kancil.cuda.emulator.BarrierInstruction.Reduction;

/** Branches, ends, barriers and fences. */
final class ControlDecoder {
  private ControlDecoder() {}

  static Instruction decode(Form form) {
    switch (form.mnemonic) {
      case "bra", "brx" -> {
        return Branch.decode(form);
      }
      case "ret", "exit" -> {
        form.has("uni");
        form.finish(0);
        return new ControlInstructions.Exit();
      }
      case "trap" -> {
        form.finish(0);
        return new ControlInstructions.Trap();
      }
      case "bar", "barrier" -> {
        return barrier(form);
      }
      case "membar" -> {
        if (form.anyOf("gl", "cta", "sys") == null) {
          throw form.unknown();
        }
        form.finish(0);
      }
      case "fence" -> {
        if (form.has("proxy")) {
          return proxyFence(form);
        }
        if (form.has("mbarrier_init")) {
          return mbarrierFence(form);
        }
        form.anyOf("sc", "acq_rel", "acquire", "release");
        form.anyOf("cta", "cluster", "gpu", "sys");
        form.finish(0);
      }
      case "nanosleep" -> {
        form.source(0, form.type());
        form.finish(1);
      }
      case "pmevent" -> {
        form.has("mask");
        form.finish(1);
      }
      default -> throw form.unknown();
    }
    return new ControlInstructions.Nothing();
  }

  /** {@code fence.proxy.async}. */
  private static Instruction proxyFence(Form form) {
    boolean isAsync = form.has("async");
    String space = form.anyOf("global", "shared::cta", "shared::cluster");
    form.finish(0);
    if (!isAsync) {
      throw form.unknown();
    }
    form.requires(90);
    boolean isGlobal = space != null && space.equals("global");
    return isGlobal ? new ControlInstructions.Nothing() : new ControlInstructions.Publish();
  }

  /** {@code fence.mbarrier_init.release.cluster}. */
  private static Instruction mbarrierFence(Form form) {
    boolean isWhole = form.has("release") && form.has("cluster");
    form.finish(0);
    if (!isWhole) {
      throw form.unknown();
    }
    form.requires(90);
    form.decoder.noteMbarriers();
    return new ControlInstructions.PublishMbarriers();
  }

  private static Instruction barrier(Form form) {
    if (form.has("warp")) {
      if (!form.has("sync")) {
        throw form.unknown();
      }
      form.finish(1);
      return new WarpBarrier(form.source(0, PtxType.B32));
    }
    form.has("cta");
    form.has("aligned");
    if (form.has("sync")) {
      form.finish(1, 2);
      int threads = form.operands() == 2 ? form.source(1, PtxType.B32) : -1;
      return new BarrierInstruction(form.source(0, PtxType.B32), threads, Reduction.NONE, -1, null);
    }
    if (form.has("arrive")) {
      form.finish(2);
      return new BarrierArrival(form.source(0, PtxType.B32), form.source(1, PtxType.B32));
    }
    if (!form.has("red")) {
      throw form.unknown();
    }
    String name = form.anyOf("popc", "and", "or");
    PtxType type = form.type();
    form.finish(3, 4);
    if (name == null || type != (name.equals("popc") ? PtxType.U32 : PtxType.PRED)) {
      throw form.unknown();
    }
    Reduction reduction =
        switch (name) {
          case "popc" -> Reduction.COUNT;
          case "and" -> Reduction.AND;
          default -> Reduction.OR;
        };
    boolean counted = form.operands() == 4;
    return new BarrierInstruction(
        form.source(1, PtxType.B32),
        counted ? form.source(2, PtxType.B32) : -1,
        reduction,
        form.target(0, type),
        form.predicate(counted ? 3 : 2));
  }

  /** {@code bar.warp.sync}. */
  private static final class WarpBarrier extends GatheringInstruction {
    WarpBarrier(int members) {
      super(members);
    }

    @Override
    void exchange(Warp warp, int mask) {
      if (warp.block.races != null) {
        warp.block.races.meet(warp);
      }
    }
  }
}
