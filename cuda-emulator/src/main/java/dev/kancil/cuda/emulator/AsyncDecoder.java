package dev.kancil.cuda.emulator;

/** {@code cp.async}, and what only advises caches and the order of kernels. */
final class AsyncDecoder {
  private AsyncDecoder() {}

  static Instruction decode(Form form) {
    return switch (form.mnemonic) {
      case "cp" -> copy(form);
      case "createpolicy" -> policy(form);
      default -> dependency(form);
    };
  }

  private static Instruction copy(Form form) {
    if (!form.has("async")) {
      throw form.unknown();
    }
    if (form.has("bulk")) {
      return BulkDecoder.decode(form);
    }
    form.requires(80);
    if (form.has("mbarrier")) {
      return MbarrierDecoder.arriveLate(form);
    }
    if (form.has("commit_group")) {
      form.finish(0);
      return new AsyncCopies.Commit();
    }
    if (form.has("wait_all")) {
      form.finish(0);
      return new AsyncCopies.Wait(0, true);
    }
    if (form.has("wait_group")) {
      form.finish(1);
      return new AsyncCopies.Wait(form.smallNumber(0), false);
    }
    return begin(form);
  }

  private static Instruction begin(Form form) {
    String cache = form.anyOf("ca", "cg");
    boolean toShared = form.has("shared") || form.has("shared::cta");
    boolean fromGlobal = form.has("global");
    boolean hasPolicy = form.has("L2::cache_hint");
    form.anyOf("L2::64B", "L2::128B", "L2::256B");
    form.finish(3, hasPolicy ? 5 : 4);
    int bytes = form.smallNumber(2);
    boolean hasSize =
        bytes == 16 || cache != null && cache.equals("ca") && (bytes == 4 || bytes == 8);
    if (cache == null || !toShared || !fromGlobal || !hasSize) {
      throw form.unknown();
    }
    int operands = form.operands();
    if (hasPolicy) {
      form.source(--operands, PtxType.B64);
    }
    AsyncCopy.Given given = new AsyncCopy.Given(-1, null);
    if (operands == 4) {
      given =
          form.isPredicate(3)
              ? new AsyncCopy.Given(-1, form.predicate(3))
              : new AsyncCopy.Given(form.source(3, PtxType.B32), null);
    }
    form.decoder.noteAccess(Space.SHARED, bytes);
    MemoryDecoder.Place target = MemoryDecoder.place(form, form.operand(0), Space.SHARED);
    MemoryDecoder.Place source = MemoryDecoder.place(form, form.operand(1), Space.GLOBAL);
    return new AsyncCopy(target, source, bytes, given);
  }

  /** A policy means nothing here, and is 0. */
  private static Instruction policy(Form form) {
    boolean fractional = form.has("fractional");
    boolean range = !fractional && form.has("range");
    boolean converted = !fractional && !range && form.has("cvt") && form.has("L2");
    form.has("global");
    boolean known = fractional || range || converted;
    if (!converted) {
      known &=
          form.anyOf("L2::evict_last", "L2::evict_normal", "L2::evict_first", "L2::evict_unchanged")
              != null;
      form.anyOf("L2::evict_first", "L2::evict_unchanged");
    }
    PtxType type = form.type();
    if (!known || type != PtxType.B64) {
      throw form.unknown();
    }
    form.finish(fractional ? 1 : range ? 4 : 2, range ? 4 : 2);
    form.requires(80);
    int zero = form.decoder.rows.longs(new Rows.Constant(0));
    return new RowInstructions.Longs(
        (d, a, _, _) -> System.arraycopy(a, 0, d, 0, Warp.LANES),
        form.target(0, type),
        zero,
        zero,
        zero);
  }

  /** Kernels of a stream run one after the other: what {@code wait} waits for has ended. */
  private static Instruction dependency(Form form) {
    if (form.anyOf("wait", "launch_dependents") == null) {
      throw form.unknown();
    }
    form.finish(0);
    form.requires(90);
    return new ControlInstructions.Nothing();
  }
}
