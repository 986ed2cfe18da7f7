package dev.kancil.cuda.emulator;

/** {@code cp.async.bulk}, of one dimension and within a block. */
final class BulkDecoder {
  private BulkDecoder() {}

  static Instruction decode(Form form) {
    Instruction instruction =
        switch (form.anyOf("prefetch", "commit_group", "wait_group")) {
          case "prefetch" -> prefetch(form);
          case "commit_group" -> {
            form.finish(0);
            yield new BulkStores.Commit();
          }
          case "wait_group" -> {
            boolean readsOnly = form.has("read");
            form.finish(1);
            yield new BulkStores.Wait(form.smallNumber(0), readsOnly);
          }
          case null, default -> copy(form);
        };
    form.requires(90);
    return instruction;
  }

  private static Instruction prefetch(Form form) {
    boolean isPrefetch = form.has("L2") && form.has("global");
    policy(form, 2);
    if (!isPrefetch) {
      throw form.unknown();
    }
    MemoryDecoder.Place source = MemoryDecoder.place(form, form.operand(0), Space.GLOBAL);
    return new BulkPrefetch(source, form.source(1, PtxType.B32));
  }

  /** A hint for the cache may be the last operand; no other modifier may be left. */
  private static void policy(Form form, int operands) {
    boolean hasPolicy = form.has("L2::cache_hint");
    form.finish(hasPolicy ? operands + 1 : operands);
    if (hasPolicy) {
      form.source(operands, PtxType.B64);
    }
  }

  private static Instruction copy(Form form) {
    form.decoder.noteMbarriers();
    form.decoder.noteAccess(Space.SHARED, BulkInstruction.UNIT);
    String to = form.first();
    String from = form.first();
    if (form.has("bulk_group")) {
      boolean isStore = to.equals("global") && from.equals("shared::cta");
      policy(form, 3);
      if (!isStore) {
        throw form.unknown();
      }
      return new BulkStores.Begin(
          MemoryDecoder.place(form, form.operand(0), Space.GLOBAL),
          MemoryDecoder.place(form, form.operand(1), Space.SHARED),
          form.source(2, PtxType.B32));
    }
    boolean isLoad =
        form.has("mbarrier::complete_tx::bytes")
            && (to.equals("shared::cluster") || to.equals("shared::cta"))
            && from.equals("global");
    policy(form, 4);
    if (!isLoad) {
      throw form.unknown();
    }
    return new BulkCopy(
        MemoryDecoder.place(form, form.operand(0), Space.SHARED),
        MemoryDecoder.place(form, form.operand(1), Space.GLOBAL),
        form.source(2, PtxType.B32),
        MemoryDecoder.place(form, form.operand(3), Space.SHARED));
  }
}
