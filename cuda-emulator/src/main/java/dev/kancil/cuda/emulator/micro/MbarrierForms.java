package dev.kancil.cuda.emulator.micro;

import java.util.List;

/** Mbarriers, one for each thread or one for all, and copies that complete on them. */
final class MbarrierForms {
  /** %r9 is the thread's own mbarrier. */
  private static final String OWN =
      ".shared .align 8 .b64 m[128];\nmov.u32 %r9, m;\nmad.lo.u32 %r9, %thread, 8, %r9;\n";

  private static final String PUBLISH = "fence.proxy.async.shared::cta;\n";

  private MbarrierForms() {}

  static void add(List<MicroForm> forms) {
    arrivals(forms);
    states(forms);
    bytes(forms);
    threadsCopies(forms);
    loads(forms);
    stores(forms);
  }

  private static String initialised(String count) {
    return OWN + "mbarrier.init.shared.b64 [%r9], " + count + ";\n";
  }

  private static String waits(String address) {
    return "again:\nmbarrier.try_wait.parity.shared::cta.b64 %p0, ["
        + address
        + "], 0;\n@!%p0 bra again;\n";
  }

  /** Four arrivals of one to four that are expected; a bit for what is seen after each. */
  private static void arrivals(List<MicroForm> forms) {
    String init = "and.b32 %r8, %a0, 3;\nadd.u32 %r8, %r8, 1;\n" + initialised("%r8");
    for (String arrival :
        List.of(
            "mbarrier.arrive.shared.b64 %q0, [%r9];",
            "mbarrier.arrive.release.cta.shared::cta.b64 %q0, [%r9];",
            "mbarrier.arrive.shared.b64 %q0, [%r9], 1;",
            "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r9];",
            "mbarrier.arrive.expect_tx.shared.b64 %q0, [%r9], 0;")) {
      boolean isOld = arrival.equals("mbarrier.arrive.shared.b64 %q0, [%r9];");
      for (String test :
          List.of("test_wait.parity.shared", "try_wait.parity.acquire.cta.shared::cta")) {
        StringBuilder body = new StringBuilder(init).append("mov.u32 %d0, 0;\n");
        for (int i = 0; i < 4; i++) {
          body.append(arrival).append('\n');
          // The second look sees what a first one may miss.
          for (int look = 0; look < 2; look++) {
            body.append("mbarrier.").append(test).append(".b64 %p0, [%r9], ").append(i & 1);
            body.append(";\n");
          }
          body.append("@%p0 or.b32 %d0, %d0, ").append(1 << i).append(";\n");
        }
        boolean isEverywhere = isOld && test.startsWith("test_wait");
        String name = arrival.split(" ", 2)[0] + ", mbarrier." + test;
        forms.add(MicroForm.of(name, body.toString(), "u32", "u32").since(isEverywhere ? 80 : 90));
      }
    }
    String drop =
        init
            + "mbarrier.arrive_drop.shared.b64 %q0, [%r9];\nmbarrier.pending_count.b64 %d0, %q0;\n";
    forms.add(MicroForm.of("mbarrier.arrive_drop", drop, "u32", "u32").since(80));
    String invalid = init + "mbarrier.inval.shared.b64 [%r9];\nmov.u32 %d0, %a0;";
    forms.add(MicroForm.of("mbarrier.inval", invalid, "u32", "u32").since(80));
  }

  /** What an arrival returns. */
  private static void states(List<MicroForm> forms) {
    String init = "and.b32 %r8, %a0, 1023;\nadd.u32 %r8, %r8, 2;\n" + initialised("%r8");
    String pending =
        init
            + "sub.u32 %r0, %r8, 1;\nmbarrier.arrive.noComplete.shared.b64 %q0, [%r9], %r0;\n"
            + "mbarrier.arrive.shared.b64 %q1, [%r9];\nmbarrier.pending_count.b64 %r0, %q0;\n"
            + "mbarrier.pending_count.b64 %r1, %q1;\nmad.lo.u32 %d0, %r0, 4096, %r1;";
    forms.add(MicroForm.of("mbarrier.pending_count", pending, "u32", "u32").since(80));
    for (String test : List.of("test_wait", "try_wait")) {
      String asks = "mbarrier." + test + ".shared.b64 %p0, [%r9], ";
      String body =
          init
              + "mov.u32 %d0, 0;\nsub.u32 %r0, %r8, 1;\n"
              + "mbarrier.arrive.noComplete.shared.b64 %q0, [%r9], %r0;\n"
              + (asks + "%q0;\n@%p0 or.b32 %d0, %d0, 1;\n")
              + "mbarrier.arrive.shared.b64 %q1, [%r9];\n"
              + (asks + "%q0;\n@%p0 or.b32 %d0, %d0, 2;\n")
              + "mbarrier.arrive.noComplete.shared.b64 %q2, [%r9], 1;\n"
              + (asks + "%q1;\n@%p0 or.b32 %d0, %d0, 4;\n")
              + (asks + "%q2;\n@%p0 or.b32 %d0, %d0, 8;");
      int target = test.equals("test_wait") ? 80 : 90;
      forms.add(MicroForm.of("mbarrier." + test + " of a state", body, "u32", "u32").since(target));
    }
  }

  private static void bytes(List<MicroForm> forms) {
    String body =
        initialised("1")
            + """
            mov.u32 %d0, 0;
            and.b32 %r0, %a0, 65535;
            add.u32 %r0, %r0, 1;
            mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r9], %r0;
            mbarrier.arrive.expect_tx.shared.b64 %q0, [%r9], 7;
            mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%r9], %r0;
            mbarrier.test_wait.parity.shared.b64 %p0, [%r9], 0;
            @%p0 or.b32 %d0, %d0, 1;
            mbarrier.complete_tx.relaxed.cluster.shared::cluster.b64 [%r9], 7;
            mbarrier.test_wait.parity.shared.b64 %p0, [%r9], 0;
            @%p0 or.b32 %d0, %d0, 2;
            """;
    forms.add(MicroForm.of("mbarrier.expect_tx", body, "u32", "u32").since(90));
  }

  private static void threadsCopies(List<MicroForm> forms) {
    for (String increment : List.of("", "noinc.")) {
      String extra = increment.isEmpty() ? "mbarrier.arrive.shared.b64 %q0, [%r9];\n" : "";
      String body =
          initialised("1")
              + "cp.async.ca.shared.global [%slot], [%from], 4;\n"
              + "cp.async.mbarrier.arrive."
              + increment
              + "shared.b64 [%r9];\n"
              + extra
              + "again:\nmbarrier.test_wait.parity.shared.b64 %p0, [%r9], 0;\n@!%p0 bra again;\n"
              + "ld.shared.b32 %d0, [%slot];";
      String name = "cp.async.mbarrier.arrive." + increment + "shared.b64";
      forms.add(MicroForm.of(name, body, "b32", "b32").since(80));
    }
  }

  private static void loads(List<MicroForm> forms) {
    String load = "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes";
    // Four threads' words for each.
    String own =
        initialised("1")
            + PUBLISH
            + "mbarrier.arrive.expect_tx.shared.b64 %q0, [%r9], 16;\nand.b64 %q1, %from, -16;\n"
            + load
            + " [%slot], [%q1], 16, [%r9];\n"
            + waits("%r9")
            + "ld.shared.v4.b32 {%r0, %r1, %r2, %r3}, [%slot];\n"
            + "xor.b32 %r0, %r0, %r1;\nshl.b32 %r2, %r2, 1;\nadd.u32 %r0, %r0, %r2;\n"
            + "sub.u32 %d0, %r0, %r3;";
    forms.add(MicroForm.of(load, own, "b32", "b32").since(90));
    for (String fence : List.of(PUBLISH, "fence.mbarrier_init.release.cluster;\n")) {
      String together =
          ".shared .align 8 .b64 m;\n.shared .align 128 .b8 all[512];\n"
              + "mov.u32 %r9, m;\nmov.u32 %r8, all;\nsetp.ne.u32 %p1, %thread, 0;\n"
              + "@%p1 bra ready;\nmbarrier.init.shared.b64 [%r9], 1;\n"
              + fence
              + "ready:\nbar.sync 0;\n@%p1 bra begun;\n"
              + "createpolicy.fractional.L2::evict_first.b64 %q2, 1.0;\n"
              + "mbarrier.arrive.expect_tx.shared.b64 %q0, [%r9], 512;\n"
              + (load + " [%r8], [%from], 128, [%r9];\n")
              + (load + ".L2::cache_hint [%r8+128], [%from+128], 384, [%r9], %q2;\n")
              + "begun:\n"
              + waits("%r9")
              + "xor.b32 %r0, %thread, 77;\nmad.lo.u32 %r0, %r0, 4, %r8;\nld.shared.b32 %d0, [%r0];";
      forms.add(MicroForm.of(load + " and " + fence.trim(), together, "b32", "b32").since(90));
    }
  }

  /** Every fourth thread stores the words of four. */
  private static void stores(List<MicroForm> forms) {
    for (String read : List.of("", ".read")) {
      String body =
          ".shared .align 16 .b8 all[512];\nmov.u32 %r9, all;\nmad.lo.u32 %r9, %thread, 4, %r9;\n"
              + "st.shared.b32 [%r9], %a0;\n"
              + PUBLISH
              + "bar.sync 0;\nand.b32 %r0, %thread, 3;\nsetp.ne.u32 %p0, %r0, 0;\n"
              + "@%p0 bra stored;\n"
              + "cp.async.bulk.global.shared::cta.bulk_group [%to], [%r9], 16;\n"
              + "cp.async.bulk.commit_group;\n"
              + ("cp.async.bulk.wait_group" + read + " 0;\ncp.async.bulk.wait_group 0;\n")
              + "stored:\nbar.sync 0;\nld.global.b32 %r1, [%to];\nadd.u32 %d0, %r1, 1;";
      String name = "cp.async.bulk.global.shared::cta.bulk_group, wait_group" + read;
      forms.add(MicroForm.of(name, body, "b32", "b32").since(90));
    }
  }
}
