package dev.kancil.cuda.emulator;

import static dev.kancil.cuda.emulator.MbarrierKernel.initialised;
import static dev.kancil.cuda.emulator.MbarrierKernel.waits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What mbarriers count, who goes on when, and what must not be done with them. */
class MbarriersTest {
  private static final String ARRIVE = "mbarrier.arrive.shared.b64 %q0, [%b];\n";

  /** What one thread has as %out. */
  private static int alone(String body) {
    return MbarrierKernel.run(1, body)[0];
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "mbarrier.arrive.shared.b64 %q0, [%b];",
        "mbarrier.arrive.shared::cta.b64 _, [%b];",
        "mbarrier.arrive.release.cta.shared::cta.b64 %q0, [%b];",
        "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%b];",
        "mbarrier.arrive.shared::cta.b64 %q0, [%b], 1;",
        "cvt.u64.u32 %q1, %b; cvta.shared.u64 %q1, %q1; mbarrier.arrive.b64 %q0, [%q1];",
        "mbarrier.arrive.expect_tx.relaxed.cluster.shared::cta.b64 %q0, [%b], 0;",
        "mbarrier.arrive_drop.shared.b64 %q0, [%b];",
        "mbarrier.arrive_drop.expect_tx.shared::cta.b64 _, [%b], 0;",
        "cp.async.mbarrier.arrive.noinc.shared.b64 [%b];"
      })
  void eachArrivalCounts(String arrival) {
    String asks =
        """
        mbarrier.test_wait.parity.shared.b64 %p1, [%b], 0;
        mbarrier.test_wait.parity.shared.b64 %p1, [%b], 0;
        """;
    String body =
        initialised(2)
            + arrival
            + asks
            + "@%p1 add.u32 %out, %out, 1;\n"
            + arrival
            + asks
            + "@%p1 add.u32 %out, %out, 2;\n";
    assertThat(alone(body)).isEqualTo(2);
  }

  @Test
  void arrivalsThatAreTakenBackAreNone() {
    // What the copies' arrival adds, it takes away.
    String body =
        initialised(1)
            + "cp.async.mbarrier.arrive.shared.b64 [%b];\n"
            + "mbarrier.test_wait.parity.shared.b64 %p1, [%b], 0;\n".repeat(3)
            + "@%p1 add.u32 %out, %out, 1;\n"
            + ARRIVE
            + waits(0)
            + "add.u32 %out, %out, 2;\n";
    assertThat(alone(body)).isEqualTo(2);
  }

  @Test
  void statesTellPendingArrivalsAndPhases() {
    String body =
        """
        @%p0 mbarrier.init.shared.b64 [%b], 5;
        mbarrier.arrive.noComplete.shared.b64 %q0, [%b], 3;
        mbarrier.arrive.shared.b64 %q1, [%b];
        mbarrier.pending_count.b64 %r0, %q0;
        mbarrier.pending_count.b64 %r1, %q1;
        mad.lo.u32 %out, %r0, 10, %r1;
        mbarrier.test_wait.shared.b64 %p1, [%b], %q0;
        @%p1 add.u32 %out, %out, 1000;
        mbarrier.arrive.shared.b64 %q2, [%b];
        mbarrier.test_wait.acquire.cta.shared::cta.b64 %p1, [%b], %q0;
        @%p1 add.u32 %out, %out, 2000;
        mbarrier.try_wait.shared.b64 %p2, [%b], %q1, 20;
        @%p2 add.u32 %out, %out, 4000;
        mbarrier.arrive.shared.b64 %q3, [%b];
        mbarrier.pending_count.b64 %r0, %q3;
        mad.lo.u32 %out, %r0, 100000, %out;
        mbarrier.try_wait.shared.b64 %p2, [%b], %q3;
        @%p2 add.u32 %out, %out, 1000;
        """;
    assertThat(alone(body)).isEqualTo(506052);
  }

  @Test
  void droppedArrivalsAreNotExpectedAgain() {
    String body =
        initialised(3)
            + ARRIVE
            + "mbarrier.arrive_drop.shared.b64 %q0, [%b], 2;\n"
            + waits(0)
            + ARRIVE
            + waits(1)
            + "mov.u32 %out, 1;\n";
    assertThat(alone(body)).isEqualTo(1);
  }

  @Test
  void bytesAreCountedLikeArrivals() {
    String body =
        initialised(1)
            + """
            mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%b], 48;
            mbarrier.complete_tx.shared::cluster.b64 [%b], 16;
            mbarrier.arrive.expect_tx.shared.b64 %q0, [%b], 16;
            mbarrier.complete_tx.shared.b64 [%b], 32;
            mbarrier.test_wait.parity.shared.b64 %p1, [%b], 0;
            @%p1 add.u32 %out, %out, 1;
            mbarrier.complete_tx.shared.b64 [%b], 16;
            mbarrier.test_wait.parity.shared.b64 %p1, [%b], 0;
            @%p1 add.u32 %out, %out, 2;
            """;
    assertThat(alone(body)).isEqualTo(2);
  }

  @Test
  void theOtherParityHasEnded() {
    String body =
        initialised(1) + waits(1) + ARRIVE + waits(0) + ARRIVE + waits(1) + "mov.u32 %out, 1;\n";
    assertThat(alone(body)).isEqualTo(1);
  }

  @Test
  void allThreadsOfABlockMeet() {
    // Twice: the second time each reads what another one wrote between.
    String write = "mad.lo.u32 %r1, %thread, 4, %s;\nst.shared.u32 [%r1], %thread;\n";
    String read =
        "xor.b32 %r2, %thread, 33;\nmad.lo.u32 %r2, %r2, 4, %s;\nld.shared.u32 %out, [%r2];\n";
    String body = initialised(96) + ARRIVE + waits(0) + write + ARRIVE + waits(1) + read;
    int[] y = MbarrierKernel.run(96, body);
    // Threads 64 to 95 have partners beyond the block's: 97 to 126 wrote nothing.
    for (int thread = 0; thread < 64; thread++) {
      assertThat(y[thread]).isEqualTo(thread ^ 33);
    }
    assertThatThrownBy(
            () -> MbarrierKernel.run(96, initialised(96) + write + ARRIVE + read + waits(0)))
        .hasMessageContaining("data race in shared memory");
    String relaxed = "mbarrier.arrive.relaxed.cta.shared.b64 %q0, [%b];\n";
    assertThatThrownBy(
            () -> MbarrierKernel.run(96, initialised(96) + write + relaxed + waits(0) + read))
        .hasMessageContaining("data race in shared memory");
    String careless = waits(0).replace("try_wait.parity", "try_wait.parity.relaxed.cta");
    assertThatThrownBy(
            () -> MbarrierKernel.run(96, initialised(96) + write + ARRIVE + careless + read))
        .hasMessageContaining("data race in shared memory");
  }

  @Test
  void lanesOfAWarpMayWaitForEachOther() {
    String body =
        initialised(1)
            + "@!%p0 bra other;\n"
            + waits(0)
            + "ld.shared.u32 %out, [%s];\nbra met;\nother:\nsetp.eq.u32 %p1, %thread, 9;\n"
            + "@%p1 st.shared.u32 [%s], 77;\n@%p1 mbarrier.arrive.shared.b64 %q0, [%b];\n"
            + "met:\nbar.warp.sync -1;\n";
    assertThat(MbarrierKernel.run(32, body)[0]).isEqualTo(77);
  }

  @Test
  void whatOneLaneHasSeenOthersKnowWhenTheyMeet() {
    String write = "setp.eq.u32 %p1, %thread, 40;\n@%p1 st.shared.u32 [%s], 5;\n";
    String arrive = "@%p1 mbarrier.arrive.shared.b64 %q0, [%b];\n";
    String one = "setp.eq.u32 %p2, %thread, 3;\n@!%p2 bra on;\n" + waits(0) + "on:\n";
    String read = "setp.lt.u32 %p3, %thread, 32;\n@%p3 ld.shared.u32 %out, [%s];\n";
    String body = initialised(1) + write + arrive + one;
    int[] y = MbarrierKernel.run(64, body + "bar.warp.sync -1;\n" + read);
    assertThat(Arrays.copyOf(y, 32)).containsOnly(5);
    assertThatThrownBy(() -> MbarrierKernel.run(64, body + read))
        .hasMessageContaining("data race in shared memory at offset 32");
    // And the one alone may read.
    int[] alone =
        MbarrierKernel.run(
            64, body + read.replace("lt.u32 %p3, %thread, 32", "eq.u32 %p3, %thread, 3"));
    assertThat(alone[3]).isEqualTo(5);
  }

  @Test
  void anArrivalTellsWhatItsOwnThreadDid() {
    // Thread 40 arrives for its warp, whose lanes have not met.
    String write = "mad.lo.u32 %r1, %thread, 4, %s;\nst.shared.u32 [%r1], %thread;\n";
    String arrive = "setp.eq.u32 %p1, %thread, 40;\n@%p1 mbarrier.arrive.shared.b64 %q0, [%b];\n";
    String read = "@%p0 ld.shared.u32 %out, [%s+164];\n";
    assertThatThrownBy(
            () -> MbarrierKernel.run(64, initialised(1) + write + arrive + waits(0) + read))
        .hasMessageContaining("thread (41, 0, 0) wrote it, and no barrier lies between");
    String met = initialised(1) + write + "bar.warp.sync -1;\n" + arrive + waits(0) + read;
    assertThat(MbarrierKernel.run(64, met)[0]).isEqualTo(41);
    String own = initialised(1) + write + arrive + waits(0) + read.replace("164", "160");
    assertThat(MbarrierKernel.run(64, own)[0]).isEqualTo(40);
  }

  @Test
  void copiesOfThreadsArriveWithTheirArrivals() {
    String copies =
        """
        shl.b32 %r1, %thread, 4;
        cvt.u64.u32 %q1, %r1;
        add.u64 %q1, %q1, %x;
        add.u32 %r1, %r1, %s;
        cp.async.cg.shared.global [%r1], [%q1], 16;
        """;
    String arrive = "cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%b];\n";
    String read =
        "xor.b32 %r2, %thread, 33;\nshl.b32 %r2, %r2, 4;\nadd.u32 %r2, %r2, %s;\n"
            + "ld.shared.u32 %out, [%r2+8];\n";
    int[] x = new int[256];
    Arrays.setAll(x, i -> 3 * i);
    int[] y = MbarrierKernel.run(64, initialised(64) + copies + arrive + waits(0) + read, x);
    for (int thread = 0; thread < 64; thread++) {
      assertThat(y[thread]).isEqualTo(3 * ((thread ^ 33) * 4 + 2));
    }
    // The own copy, before anybody has asked.
    String early = "ld.shared.u32 %out, [%r1];\n" + waits(0);
    int[] poisoned = MbarrierKernel.run(64, initialised(64) + copies + arrive + early, x);
    assertThat(Arrays.copyOf(poisoned, 64)).containsOnly(Warp.POISON);
    // A copy that begins behind the arrival.
    assertThatThrownBy(
            () -> MbarrierKernel.run(64, initialised(64) + arrive + copies + waits(0) + read, x))
        .hasMessageContaining("data race in shared memory");
  }

  private static void fails(String body, String message) {
    assertThatThrownBy(() -> MbarrierKernel.run(32, body))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_LAUNCH_FAILED (719): kernel f, ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mbarrier.init.shared.b64 [%b], 0; | 0 arrivals, not 1 to 1048575",
        "mbarrier.init.shared.b64 [%b], 1048576; | 1048576 arrivals, not 1 to 1048575",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.init.shared.b64 [%b], 1; | there is an mbarrier at offset 0 already",
        "mbarrier.arrive.shared.b64 %q0, [%b]; | there is no mbarrier at offset 0: it was not initialised, or was invalidated",
        "mbarrier.inval.shared.b64 [%b]; | there is no mbarrier at offset 0",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.inval.shared.b64 [%b]; mbarrier.test_wait.parity.shared.b64 %p1, [%b], 0; | there is no mbarrier at offset 0",
        "mbarrier.init.shared.b64 [%b], 1; st.shared.u32 [%b+4], 0; mbarrier.arrive.shared.b64 %q0, [%b]; | something else was written where the mbarrier is",
        "mbarrier.init.shared.b64 [%b], 3; mbarrier.arrive.shared.b64 %q0, [%b], 4; | 4 arrivals, but phase 0 of the mbarrier at offset 0 lacks 3 arrivals and 0 bytes",
        "mbarrier.init.shared.b64 [%b], 3; mbarrier.arrive.shared.b64 %q0, [%b], 0; | 0 arrivals, not 1",
        "mbarrier.init.shared.b64 [%b], 3; mbarrier.arrive.noComplete.shared.b64 %q0, [%b], 3; | noComplete, but these are the last arrivals",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.expect_tx.shared.b64 [%b], 1048576; | 1048576 bytes, not 0 to 1048575",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.expect_tx.shared.b64 [%b], 1048575; mbarrier.expect_tx.shared.b64 [%b], 1; | the count of bytes, 1048575, overflows",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.complete_tx.shared.b64 [%b], 1048575; mbarrier.complete_tx.shared.b64 [%b], 1; | the count of bytes, -1048575, overflows",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.test_wait.parity.shared.b64 %p1, [%b], 2; | a parity of 2, not 0 or 1",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.init.shared.b64 [%b+8], 1; mbarrier.arrive.shared.b64 %q0, [%b]; mbarrier.test_wait.shared.b64 %p1, [%b+8], %q0; | this is not a state of the mbarrier at offset 8",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.test_wait.shared.b64 %p1, [%b], %q0; | this is not a state of the mbarrier at offset 0",
        "mbarrier.init.shared.b64 [%b], 1; mbarrier.arrive.shared.b64 %q0, [%b]; mbarrier.arrive.shared.b64 %q1, [%b]; mbarrier.test_wait.shared.b64 %p1, [%b], %q0; | a state of a phase that ended 2 phases ago",
        "mbarrier.init.shared.b64 [%b], 1; cp.async.mbarrier.arrive.noinc.shared.b64 [%b]; mbarrier.arrive.shared.b64 %q0, [%b]; | others have come more often than it says",
        "mbarrier.init.shared.b64 [%b], 1; cp.async.mbarrier.arrive.noinc.shared.b64 [%b]; cp.async.mbarrier.arrive.noinc.shared.b64 [%b]; | others have come more often than it says",
        "mbarrier.init.b64 [%x], 1; | mbarriers lie in shared memory"
      })
  void misuseIsFound(String body, String message) {
    fails("@!%p0 bra end;\n" + body + "\nend:\n", message);
  }

  @Test
  void placesAreChecked() {
    assertThatThrownBy(() -> MbarrierKernel.run(1, "mbarrier.init.shared.b64 [%b+4], 1;"))
        .hasMessageContaining("CUDA_ERROR_MISALIGNED_ADDRESS (716)")
        .hasMessageContaining("0x4 is not a multiple of 8");
    assertThatThrownBy(() -> MbarrierKernel.run(1, "mbarrier.init.shared.b64 [%b+2080], 1;"))
        .hasMessageContaining("CUDA_ERROR_ILLEGAL_ADDRESS (700)")
        .hasMessageContaining("8 bytes at offset 2080 of shared memory, which has 2080");
  }

  @Test
  void othersWaitForTheInitialisation() {
    String init = "@%p0 mbarrier.init.shared.b64 [%b], 64;\n";
    assertThatThrownBy(() -> MbarrierKernel.run(64, init + ARRIVE))
        .hasMessageContaining("data race in shared memory at offset 0: thread (0, 0, 0) wrote it");
    String last = init.replace("%p0", "%p1");
    assertThatThrownBy(
            () -> MbarrierKernel.run(64, "setp.eq.u32 %p1, %thread, 63;\n" + last + ARRIVE))
        .hasMessageContaining("there is no mbarrier at offset 0");
  }

  @Test
  void waitingForEverIsFound() {
    fails(
        initialised(33) + ARRIVE + waits(0),
        "deadlock: of 32 threads, 32 wait for mbarriers and 0 at barriers; phase 0 of the mbarrier"
            + " at offset 0 lacks 1 arrivals and 0 bytes");
    assertThatThrownBy(
            () ->
                MbarrierKernel.run(
                    64,
                    initialised(64)
                        + "setp.lt.u32 %p1, %thread, 32;\n@%p1 bra wait;\nbar.sync 1;\nwait:\n"
                        + ARRIVE
                        + waits(0)))
        .hasMessageContaining("deadlock: of 64 threads, 32 wait for mbarriers and 32 at barriers");
    // Whoever only asks, and without a limit of time.
    fails(
        initialised(1)
            + "again:\nmbarrier.test_wait.parity.shared.b64 %p4, [%b], 0;\n@!%p4 bra again;",
        "deadlock: of 32 threads, 32 wait");
    // One lane waits for an mbarrier, the others for it.
    fails(
        initialised(1) + "@!%p0 bra others;\n" + waits(0) + "others:\nbar.warp.sync -1;\n",
        "deadlock: of 32 threads, 1 wait for mbarriers");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sm_75 | mbarrier.init.shared.b64 [%b], 1; | needs sm_80, the text is for sm_75",
        "sm_80 | mbarrier.arrive.shared.b64 %q0, [%b], 2; | needs sm_90, the text is for sm_80",
        "sm_80 | mbarrier.arrive.expect_tx.shared.b64 %q0, [%b], 2; | needs sm_90",
        "sm_80 | mbarrier.expect_tx.shared.b64 [%b], 2; | needs sm_90",
        "sm_80 | mbarrier.try_wait.parity.shared.b64 %p1, [%b], 0; | needs sm_90",
        "sm_80 | mbarrier.arrive.relaxed.cta.shared.b64 %q0, [%b]; | needs sm_90",
        "sm_80 | fence.mbarrier_init.release.cluster; | needs sm_90",
        "sm_90 | mbarrier.arrive.shared::cluster.b64 %q0, [%b]; | unknown instruction mbarrier.arrive",
        "sm_90 | mbarrier.init.global.b64 [%x], 1; | unknown instruction mbarrier.init.global",
        "sm_90 | mbarrier.init.shared.b32 [%b], 1; | unknown instruction mbarrier.init.shared.b32",
        "sm_90 | mbarrier.arrive.acquire.cta.shared.b64 %q0, [%b]; | unknown instruction",
        "sm_90 | mbarrier.arrive.noComplete.shared.b64 %q0, [%b]; | with 2 operands",
        "sm_90 | mbarrier.test_wait.parity.shared.b64 %p1, [%b], 0, 10; | with 4 operands",
        "sm_90 | mbarrier.test_wait.shared.b64 %p1, [%b], %r0; | %r0 is of type b32, not b64",
        "sm_90 | mbarrier.wait.shared.b64 %p1, [%b]; | unknown instruction mbarrier.wait",
        "sm_90 | mbarrier; | unknown instruction mbarrier",
        "sm_90 | fence.mbarrier_init.acquire.cluster; | unknown instruction fence.mbarrier_init"
      })
  void formsThatAreNoneAreRefused(String target, String line, String message) {
    assertThatThrownBy(() -> MbarrierKernel.load(target, line))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_INVALID_PTX")
        .hasMessageContaining(message);
  }
}
