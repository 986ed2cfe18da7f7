package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.MbarrierKernel.initialised;
import static dev.kancil.cuda.emulator.MbarrierKernel.waits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Copies in bulk: to shared memory for an mbarrier, to global memory in groups. */
class BulkCopiesTest {
  private static final String LOAD =
      "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes ";
  private static final String STORE = "cp.async.bulk.global.shared::cta.bulk_group ";
  private static final String EXPECT =
      "@%p0 mbarrier.arrive.expect_tx.shared.b64 %q0, [%b], 1024;\n";
  private static final String READ =
      "mad.lo.u32 %r1, %thread, 16, %s;\nld.shared.u32 %out, [%r1];\n";

  /** Thread 0 begins. */
  private static String load(String operands) {
    return "@%p0 " + LOAD + operands + ";\n";
  }

  private static int[] values() {
    return new Random(3).ints(MbarrierKernel.WORDS).toArray();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%s], [%x+64], 1024, [%b]",
        "cp.async.bulk.shared::cta.global.mbarrier::complete_tx::bytes [%s], [%x+64], 1024, [%b]",
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.L2::cache_hint"
            + " [%s], [%x+64], 1024, [%b], %q1"
      })
  void bytesArriveForWhoeverHasWaited(String copy) {
    String policy = "createpolicy.fractional.L2::evict_first.b64 %q1, 1.0;\n";
    String body = policy + initialised(1) + EXPECT + "@%p0 " + copy + ";\n" + waits(0) + READ;
    int[] x = values();
    int[] y = MbarrierKernel.run(64, body, x);
    for (int thread = 0; thread < 64; thread++) {
      assertThat(y[thread]).isEqualTo(x[16 + 4 * thread]);
    }
  }

  @Test
  void severalCopiesMakeAPhase() {
    String body =
        initialised(1)
            + EXPECT
            + load("[%s], [%x], 16, [%b]")
            + load("[%s+16], [%x+16], 496, [%b]")
            + load("[%s+512], [%x+2048], 512, [%b]")
            + load("[%s], [%x], 0, [%b]")
            + waits(0)
            + READ;
    int[] x = values();
    int[] y = MbarrierKernel.run(64, body, x);
    for (int thread = 0; thread < 64; thread++) {
      assertThat(y[thread]).isEqualTo(x[4 * thread + (thread < 32 ? 0 : 384)]);
    }
  }

  @Test
  void bytesThatNobodyHasWaitedForArePoison() {
    String body =
        initialised(1)
            + EXPECT
            + load("[%s], [%x], 1024, [%b]")
            + "bar.sync 0;\n"
            + READ
            + waits(0);
    EmulatedDevice blind = EmulatedDevice.standard().withComputeCapability(90).withRaceCheck(false);
    assertThat(Arrays.copyOf(MbarrierKernel.run(blind, 64, body, values()), 64))
        .containsOnly(Warp.POISON);
    assertThatThrownBy(() -> MbarrierKernel.run(64, body, values()))
        .hasMessageContaining("a bulk copy writes it");
    // The thread that began it, too.
    String own = body.replace("ld.shared", "@%p0 ld.shared");
    assertThatThrownBy(() -> MbarrierKernel.run(64, own, values()))
        .hasMessageContaining("a bulk copy writes it");
  }

  @Test
  void whatOneHasSeenAllKnowBehindABarrier() {
    String wait = "@!%p0 bra others;\n" + waits(0) + "others:\n";
    String body = initialised(1) + EXPECT + load("[%s], [%x], 1024, [%b]") + wait;
    int[] x = values();
    int[] y = MbarrierKernel.run(64, body + "bar.sync 0;\n" + READ, x);
    assertThat(y[63]).isEqualTo(x[4 * 63]);
    assertThatThrownBy(() -> MbarrierKernel.run(64, body + READ, x))
        .hasMessageContaining("a bulk copy writes it");
  }

  @Test
  void bytesComeBackInGroups() {
    String body =
        "mad.lo.u32 %r1, %thread, 16, %s;\nst.shared.v4.u32 [%r1], {%thread, 1, 2, 3};\n"
            + "fence.proxy.async.shared::cta;\nbar.sync 0;\n@!%p0 bra end;\n"
            + STORE
            + "[%y+1024], [%s], 512;\ncp.async.bulk.commit_group;\n"
            + STORE
            + "[%y+1536], [%s+512], 512;\ncp.async.bulk.commit_group;\n"
            + "cp.async.bulk.wait_group 1;\n"
            + "ld.global.u32 %out, [%y+1040];\nld.global.u32 %r2, [%y+1552];\n"
            + "cp.async.bulk.wait_group.read 0;\nst.shared.u32 [%s+512], 0;\n"
            + "ld.global.u32 %r3, [%y+1552];\nst.global.v2.u32 [%y+3072], {%r2, %r3};\nend:\n";
    int[] y = MbarrierKernel.run(64, body);
    assertThat(y[0]).isEqualTo(1);
    assertThat(y[768]).isEqualTo(Warp.POISON);
    assertThat(y[769]).isEqualTo(Warp.POISON);
    for (int thread = 0; thread < 64; thread++) {
      assertThat(Arrays.copyOfRange(y, 256 + 4 * thread, 260 + 4 * thread))
          .containsExactly(thread, 1, 2, 3);
    }
  }

  private static void fails(String body, String error, String message) {
    assertThatThrownBy(() -> MbarrierKernel.run(64, body, values()))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_" + error + ": kernel f, ")
        .hasMessageContaining(message);
  }

  private static void fails(String body, String message) {
    fails(body, "LAUNCH_FAILED (719)", message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[%s+8], [%x], 16, [%b] | MISALIGNED_ADDRESS (716) | 0x28 is not a multiple of 16",
        "[%s], [%x+4], 16, [%b] | MISALIGNED_ADDRESS (716) | is not a multiple of 16",
        "[%s], [%x], 16, [%b+4] | MISALIGNED_ADDRESS (716) | is not a multiple of 8",
        "[%s], [%x], 24, [%b] | LAUNCH_FAILED (719) | 24 bytes are not a multiple of 16",
        "[%s], [%x], -16, [%b] | LAUNCH_FAILED (719) | 4294967280 bytes are not",
        "[%s], [%x+3088], 1024, [%b] | ILLEGAL_ADDRESS (700) | read of 1024 bytes",
        "[%s+2032], [%x], 32, [%b] | ILLEGAL_ADDRESS (700) | 32 bytes at offset 2064 of shared memory, which has 2080",
        "[%s], [%x], 16, [%b+8] | LAUNCH_FAILED (719) | there is no mbarrier at offset 8"
      })
  void placesAndSizesAreChecked(String operands, String error, String message) {
    fails(initialised(1) + load(operands), error, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[%y], [%s+8], 16 | MISALIGNED_ADDRESS (716) | is not a multiple of 16",
        "[%y+4], [%s], 16 | MISALIGNED_ADDRESS (716) | is not a multiple of 16",
        "[%y], [%s], 24 | LAUNCH_FAILED (719) | 24 bytes are not a multiple of 16",
        "[%y+4096], [%s], 16 | ILLEGAL_ADDRESS (700) | write of 16 bytes",
        "[%y], [%s+2048], 16 | ILLEGAL_ADDRESS (700) | 16 bytes at offset 2080 of shared memory"
      })
  void placesAndSizesOfStoresAreChecked(String operands, String error, String message) {
    fails("@%p0 " + STORE + operands + ";\n", error, message);
  }

  @Test
  void twoCopiesToOnePlace() {
    fails(
        initialised(1) + EXPECT + load("[%s], [%x], 512, [%b]") + load("[%s+496], [%x], 512, [%b]"),
        "data race in shared memory at offset 528: a bulk copy writes it");
  }

  @Test
  void whatThreadsWroteMustBePublished() {
    String write = "mad.lo.u32 %r1, %thread, 16, %s;\nst.shared.u32 [%r1], 1;\n";
    String rest = EXPECT + load("[%s], [%x], 1024, [%b]") + waits(0) + READ;
    fails(
        initialised(1) + write + "bar.sync 0;\n" + rest,
        "no fence.proxy.async lies between this and what thread (0, 0, 0) wrote");
    fails(initialised(1) + write + "fence.proxy.async;\n" + rest, "data race in shared memory");
    int[] x = values();
    for (String between :
        new String[] {"fence.proxy.async;\nbar.sync 0;\n", "bar.sync 0;\nfence.proxy.async;\n"}) {
      assertThat(MbarrierKernel.run(64, initialised(1) + write + between + rest, x)[5])
          .isEqualTo(x[20]);
    }
    String store = "@%p0 " + STORE + "[%y+2048], [%s], 1024;\n";
    String wait = "cp.async.bulk.commit_group;\ncp.async.bulk.wait_group.read 0;\n";
    fails(write + "bar.sync 0;\n" + store + wait, "no fence.proxy.async lies between");
    fails(write + "fence.proxy.async;\n" + store + wait, "data race in shared memory");
  }

  @Test
  void theMbarrierMustBePublished() {
    String rest = "bar.sync 0;\n" + EXPECT + load("[%s], [%x], 1024, [%b]") + waits(0) + READ;
    String init = "@%p0 mbarrier.init.shared.b64 [%b], 1;\n";
    fails(init + rest, "no fence.proxy.async or fence.mbarrier_init lies between");
    fails("fence.mbarrier_init.release.cluster;\n" + init + rest, "fence.mbarrier_init lies");
    int[] x = values();
    String fence = "fence.mbarrier_init.release.cluster;\n";
    assertThat(MbarrierKernel.run(64, init + fence + rest, x)[5]).isEqualTo(x[20]);
  }

  @Test
  void aSourceThatIsWrittenTooEarly() {
    String store = "@%p0 " + STORE + "[%y+2048], [%s], 1024;\ncp.async.bulk.commit_group;\n";
    String wait = "cp.async.bulk.wait_group.read 0;\n";
    fails(
        store + "@%p0 st.shared.u32 [%s+20], 1;\n" + wait,
        "shared memory at offset 52 has changed before the thread waited");
    String other = "setp.eq.u32 %p1, %thread, 40;\n@%p1 st.shared.u32 [%s+20], 1;\n";
    fails(store + other + wait, "data race in shared memory");
    fails(store + "bar.sync 0;\n" + other + "bar.sync 0;\n" + wait, "has changed before");
    assertThat(MbarrierKernel.run(64, store + wait + "bar.sync 0;\n" + other)[512])
        .isEqualTo(Warp.POISON);
  }

  @Test
  void copiesThatNobodyWaitsFor() {
    fails(
        initialised(1) + EXPECT + load("[%s], [%x], 1024, [%b]"),
        "the block has ended, and nobody has waited for this copy");
    fails(
        initialised(1)
            + EXPECT
            + load("[%s], [%x], 1024, [%b]")
            + "bar.sync 0;\n@%p0 mbarrier.inval.shared.b64 [%b];\n",
        "a bulk copy is under way that completes on the mbarrier");
    String unread = "nobody has waited until this copy had read shared memory";
    fails("@%p0 " + STORE + "[%y+2048], [%s], 16;\n", unread);
    fails("@%p0 " + STORE + "[%y+2048], [%s], 16;\ncp.async.bulk.wait_group 0;\n", unread);
    fails(
        "@%p0 "
            + STORE
            + "[%y+2048], [%s], 16;\ncp.async.bulk.commit_group;\ncp.async.bulk.wait_group 1;\n",
        unread);
    fails("again:\n" + STORE + "[%y+2048], [%s], 16;\nbra again;\n", "4096 copies have begun");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sm_80 | cp.async.bulk.commit_group; | needs sm_90, the text is for sm_80",
        "sm_80 | cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%s], [%x], 16, [%b]; | needs sm_90",
        "sm_90 | cp.async.bulk.wait_group.write 0; | unknown instruction cp.async.bulk.wait_group.write",
        "sm_90 | cp.async.bulk.shared::cluster.global.bulk_group [%s], [%x], 16; | unknown instruction",
        "sm_90 | cp.async.bulk.global.shared::cta.mbarrier::complete_tx::bytes [%y], [%s], 16, [%b]; | unknown instruction",
        "sm_90 | cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%s], [%s], 16, [%b]; | unknown instruction",
        "sm_90 | cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%s], [%x], 16, [%b], 1; | unknown instruction",
        "sm_90 | cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%s], [%x], 16; | with 3 operands",
        "sm_90 | cp.async.bulk.tensor.1d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%s], [%x], 16, [%b]; | unknown instruction cp.async.bulk.tensor"
      })
  void formsThatAreNoneAreRefused(String target, String line, String message) {
    assertThatThrownBy(() -> MbarrierKernel.load(target, line))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining(message);
  }
}
