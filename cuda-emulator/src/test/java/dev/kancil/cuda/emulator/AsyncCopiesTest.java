package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Copies to shared memory that are there only when a thread has waited. */
class AsyncCopiesTest {
  private static final EmulatedDevice DEVICE = EmulatedDevice.standard().withComputeCapability(90);

  /** 64 threads; %r3 is each one's 32 bytes of s, %rd2 of x, %rd4 of y. */
  private static String kernel(String target, String body) {
    return ".version 8.0\n.target "
        + target
        + """

        .address_size 64
        .visible .entry f(.param .u64 x, .param .u64 y)
        {
        .reg .b32 %r<9>;
        .reg .b64 %rd<9>;
        .reg .pred %p<3>;
        .shared .align 16 .b8 s[2048];
        mov.u32 %r1, %tid.x;
        mov.u32 %r2, s;
        mad.lo.u32 %r3, %r1, 32, %r2;
        ld.param.u64 %rd1, [x];
        ld.param.u64 %rd3, [y];
        mad.wide.u32 %rd2, %r1, 32, %rd1;
        mad.wide.u32 %rd4, %r1, 32, %rd3;
        """
        + body
        + "\nret;\n}\n";
  }

  private static final String STORE =
      """
      ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r3];
      st.global.v4.u32 [%rd4], {%r4, %r5, %r6, %r7};
      ld.shared.v4.u32 {%r4, %r5, %r6, %r7}, [%r3+16];
      st.global.v4.u32 [%rd4+16], {%r4, %r5, %r6, %r7};
      """;

  private static int[] run(String body, int[] x) {
    try (EmulatedKernels kernels = new EmulatedKernels(DEVICE).ptx(kernel("sm_90", body))) {
      long y = kernels.upload(new int[512]);
      kernels.run("f", 1, 64, kernels.upload(x), y);
      return kernels.ints(y, 512);
    }
  }

  private static int[] values() {
    return new Random(1).ints(512).toArray();
  }

  @ParameterizedTest
  @CsvSource({
    "cp.async.ca.shared.global,4",
    "cp.async.ca.shared.global.L2::64B,8",
    "cp.async.ca.shared::cta.global.L2::128B,16",
    "cp.async.cg.shared.global,16",
    "cp.async.cg.shared.global.L2::256B,16",
  })
  void everySizeArrives(String instruction, int bytes) {
    StringBuilder body = new StringBuilder();
    for (int at = 0; at < 32; at += bytes) {
      body.append("%s [%%r3+%d], [%%rd2+%d], %d;\n".formatted(instruction, at, at, bytes));
    }
    assertThat(run(body + "cp.async.wait_all;\n" + STORE, values())).isEqualTo(values());
  }

  @Test
  void whatIsNotReadIsZero() {
    String body =
        """
        mov.u32 %r8, 6;
        cp.async.cg.shared.global [%r3], [%rd2], 16, %r8;
        createpolicy.fractional.L2::evict_last.b64 %rd5, 1.0;
        setp.gt.u32 %p1, %r1, 9;
        cp.async.ca.shared.global.L2::cache_hint [%r3+16], [%rd2+16], 8, %p1, %rd5;
        mov.u64 %rd6, 5;
        cp.async.ca.shared.global [%r3+24], [%rd6], 8, 0;
        cp.async.wait_all;
        """;
    int[] x = values();
    int[] y = run(body + STORE, x);
    for (int thread = 0; thread < 64; thread++) {
      int at = thread * 8;
      assertThat(y[at]).isEqualTo(x[at]);
      assertThat(y[at + 1]).isEqualTo(x[at + 1] & 0xffff);
      assertThat(y[at + 4]).isEqualTo(thread > 9 ? 0 : x[at + 4]);
      assertThat(y[at + 5]).isEqualTo(thread > 9 ? 0 : x[at + 5]);
      assertThat(y[at + 2] | y[at + 3] | y[at + 6] | y[at + 7]).isZero();
    }
  }

  @Test
  void groupsArriveInTheirOrderAndNoSoonerThanWaitedFor() {
    String copies =
        """
        cp.async.cg.shared.global [%r3], [%rd2], 16;
        cp.async.commit_group;
        cp.async.cg.shared.global [%r3+16], [%rd2+16], 16;
        """;
    int[] x = values();
    String[] waits = {
      "",
      "cp.async.wait_group 0;",
      "cp.async.commit_group; cp.async.wait_group 1;",
      "cp.async.commit_group; cp.async.commit_group; cp.async.wait_group 2;",
      "cp.async.commit_group; cp.async.wait_group 0;",
      "cp.async.wait_all;"
    };
    boolean[] first = {false, true, true, true, true, true};
    boolean[] second = {false, false, false, false, true, true};
    for (int i = 0; i < waits.length; i++) {
      int[] y = run(copies + waits[i] + STORE, x);
      for (int j = 0; j < 512; j++) {
        boolean arrived = j % 8 < 4 ? first[i] : second[i];
        assertThat(y[j]).as("%s: %d", waits[i], j).isEqualTo(arrived ? x[j] : Warp.POISON);
      }
    }
  }

  @Test
  void lanesWaitForTheirOwnCopies() {
    String body =
        """
        setp.lt.u32 %p1, %r1, 40;
        cp.async.cg.shared.global [%r3], [%rd2], 16;
        cp.async.cg.shared.global [%r3+16], [%rd2+16], 16;
        @%p1 cp.async.wait_all;
        """;
    int[] x = values();
    int[] y = run(body + STORE, x);
    for (int j = 0; j < 512; j++) {
      assertThat(y[j]).isEqualTo(j / 8 < 40 ? x[j] : Warp.POISON);
    }
  }

  @Test
  void aPipelineOfTwoStages() {
    // Each round copies the next 16 bytes while the last ones are added up.
    String body =
        """
        .reg .b32 %sum, %i, %to, %from;
        mov.u32 %sum, 0;
        mov.u32 %i, 0;
        cp.async.cg.shared.global [%r3], [%rd2], 16;
        cp.async.commit_group;
        loop:
        setp.lt.u32 %p1, %i, 9;
        @!%p1 bra last;
        not.b32 %to, %i;
        and.b32 %to, %to, 1;
        mad.lo.u32 %to, %to, 16, %r3;
        cp.async.cg.shared.global [%to], [%rd2+16], 16;
        last:
        cp.async.commit_group;
        cp.async.wait_group 1;
        bar.sync 0;
        and.b32 %from, %i, 1;
        mad.lo.u32 %from, %from, 16, %r3;
        xor.b32 %from, %from, 32;
        ld.shared.u32 %r4, [%from+4];
        add.u32 %sum, %sum, %r4;
        bar.sync 0;
        add.u32 %i, %i, 1;
        setp.lt.u32 %p2, %i, 10;
        @%p2 bra loop;
        st.global.u32 [%rd4], %sum;
        """;
    int[] x = values();
    int[] y = run(body, x);
    for (int thread = 0; thread < 64; thread++) {
      int other = (thread ^ 1) * 8;
      assertThat(y[thread * 8]).isEqualTo(x[other + 1] + 9 * x[other + 5]);
    }
  }

  private static void fails(String body, String error, String message) {
    assertThatThrownBy(() -> run(body, values()))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_" + error + ": kernel f, ")
        .hasMessageContaining(message);
  }

  @Test
  void bothAddressesAreChecked() {
    String copy = "cp.async.cg.shared.global ";
    fails(
        copy + "[%r3], [%rd2+2048], 16;",
        "ILLEGAL_ADDRESS (700)",
        "0 bytes after an allocation of 2048 bytes");
    fails(copy + "[%r3+2048], [%rd2], 16;", "ILLEGAL_ADDRESS (700)", "shared memory");
    fails(copy + "[%r3], [%rd2+8], 16;", "MISALIGNED_ADDRESS (716)", "not a multiple of 16");
    fails(copy + "[%r3+4], [%rd2], 16;", "MISALIGNED_ADDRESS (716)", "not a multiple of 16");
    fails(copy + "[%r3], [%rd2], 16, 17;", "LAUNCH_FAILED (719)", "17 bytes of a source");
    String loop = "again: " + copy + "[%r3], [%rd2], 16; bra again;";
    fails(loop, "LAUNCH_FAILED (719)", "4096 copies have begun, and nobody has waited for them");
  }

  @Test
  void copiesRace() {
    String other = "xor.b32 %r8, %r3, 32;\n";
    String copy = "cp.async.ca.shared.global [%r3], [%rd2], 4;\n";
    // A read by another thread that no barrier separates from the wait.
    fails(
        other + copy + "cp.async.wait_all;\nld.shared.u32 %r4, [%r8];",
        "LAUNCH_FAILED (719)",
        "data race");
    // The barrier comes before the wait: it does not order what arrives.
    fails(
        other + copy + "bar.sync 0;\nld.shared.u32 %r4, [%r8];\ncp.async.wait_all;",
        "LAUNCH_FAILED (719)",
        "cp.async.wait_all (PTX line");
    // A copy into what others may still read.
    fails(
        other + "st.shared.u32 [%r3], %r1;\nbar.sync 0;\nld.shared.u32 %r4, [%r8];\n" + copy,
        "LAUNCH_FAILED (719)",
        "data race");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sm_75 | cp.async.ca.shared.global [%r3], [%rd2], 4; | needs sm_80, the text is for sm_75",
        "sm_75 | cp.async.wait_all; | needs sm_80, the text is for sm_75",
        "sm_80 | griddepcontrol.wait; | needs sm_90, the text is for sm_80",
        "sm_80 | cp.async.bulk.prefetch.L2.global [%rd2], 16; | needs sm_90, the text is for sm_80",
        "sm_80 | cp.async.cg.shared.global [%r3], [%rd2], 8; | unknown instruction cp.async.cg",
        "sm_80 | cp.async.ca.shared.global [%r3], [%rd2], 12; | unknown instruction cp.async.ca",
        "sm_80 | cp.async.wait_group %r1; | a small whole number was expected",
        "sm_75 | cp.async.mbarrier.arrive.shared.b64 [%r3]; | needs sm_80, the text is for sm_75",
        "sm_80 | createpolicy.fractional.L2::keep.b64 %rd1; | unknown instruction createpolicy"
      })
  void formsThatAreNoneAreRefused(String target, String line, String message) {
    try (EmulatedKernels kernels = new EmulatedKernels(DEVICE)) {
      assertThatThrownBy(() -> kernels.ptx(kernel(target, line)))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining(message);
    }
  }

  @Test
  void advicesToTheHardwareChangeNothing() {
    String body =
        """
        griddepcontrol.wait;
        griddepcontrol.launch_dependents;
        nanosleep.u32 20;
        createpolicy.fractional.L2::evict_first.L2::evict_unchanged.b64 %rd5, 0.5;
        createpolicy.range.global.L2::evict_last.b64 %rd6, [%rd1], 1024, 2048;
        createpolicy.cvt.L2.b64 %rd7, 0x100;
        prefetch.global.L2 [%rd2];
        prefetch.global.L2::evict_last [%rd2];
        cp.async.bulk.prefetch.L2.global [%rd1], 2048;
        cp.async.bulk.prefetch.L2.global.L2::cache_hint [%rd1], 64, %rd5;
        ld.global.nc.L1::no_allocate.L2::128B.v4.u32 {%r4, %r5, %r6, %r7}, [%rd2];
        st.global.L2::cache_hint.v4.u32 [%rd4], {%r4, %r5, %r6, %r7}, %rd6;
        ld.global.nc.L1::no_allocate.L2::cache_hint.L2::256B.v2.u64 {%rd5, %rd6}, [%rd2+16], %rd5;
        st.global.L1::no_allocate.v2.u64 [%rd4+16], {%rd5, %rd6};
        """;
    assertThat(run(body, values())).isEqualTo(values());
  }

  @Test
  void whatIsPrefetchedInBulkIsThere() {
    fails(
        "cp.async.bulk.prefetch.L2.global [%rd1], 2064;",
        "ILLEGAL_ADDRESS (700)", "read of 2064 bytes");
    fails("cp.async.bulk.prefetch.L2.global [%rd1], 8;", "LAUNCH_FAILED (719)", "8 bytes are not");
    fails("cp.async.bulk.prefetch.L2.global [%rd1+8], 16;", "MISALIGNED_ADDRESS (716)", "");
  }
}
