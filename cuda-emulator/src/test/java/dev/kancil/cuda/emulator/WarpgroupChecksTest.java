package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each kernel multiplies in warpgroups, and has a bug of its own; the first one has none. */
class WarpgroupChecksTest {
  private static final String FENCE = "wgmma.fence.sync.aligned;\n";
  private static final String PRODUCT =
      "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%d0, %d1, %d2, %d3},"
          + " {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0;\n";
  private static final String COMMIT = "wgmma.commit_group.sync.aligned;\n";
  private static final String WAIT = "wgmma.wait_group.sync.aligned 0;\n";

  /** Eight rows of 128 bytes, and as many again. */
  private static WarpgroupKernel kernel() {
    return new WarpgroupKernel(8, 2048);
  }

  private static String descriptor(int from) {
    return kernel().descriptor("%b", from, 16, 1024, 1);
  }

  private static String good() {
    return descriptor(0) + FENCE + PRODUCT + COMMIT + WAIT;
  }

  private static float[] run(WarpgroupKernel kernel, String body) {
    int[] registers = new int[256 * 8];
    Arrays.setAll(registers, i -> i % 8 < 4 ? 0x3c00_3c00 : Float.floatToRawIntBits(i % 8));
    byte[] shared = new byte[2048];
    Arrays.fill(shared, (byte) 0x3c);
    return kernel.body(body).run(registers, shared);
  }

  private static void fails(WarpgroupKernel kernel, String body, String error, String message) {
    assertThatThrownBy(() -> run(kernel, body))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_" + error + ": kernel f, ")
        .hasMessageContaining(message);
  }

  private static void fails(String body, String message) {
    fails(kernel(), body, "LAUNCH_FAILED (719)", message);
  }

  @ParameterizedTest
  @ValueSource(ints = {128, 256})
  void aKernelWithoutABugRuns(int threads) {
    assertThat(run(kernel().threads(threads), good()))
        .hasSize(4 * threads)
        .doesNotContain(Float.NaN);
  }

  @Test
  void aSumThatIsReadTooEarlyIsNaN() {
    String body = descriptor(0) + FENCE + PRODUCT + COMMIT + "mov.b32 %r8, %d1;\n" + WAIT;
    assertThat(run(kernel(), body + "mov.b32 %d0, %r8;\n"))
        .contains(Float.NaN)
        .hasSize(512)
        .satisfies(y -> assertThat(y[1]).isNotNaN());
  }

  @Test
  void aSumThatIsWrittenTooEarly() {
    fails(
        descriptor(0) + FENCE + PRODUCT + COMMIT + "mov.b32 %d2, 0f00000000;\n" + WAIT,
        "a sum was written before the warp waited for it");
  }

  @Test
  void aRegisterOfAThatIsWrittenTooEarly() {
    fails(
        descriptor(0) + FENCE + PRODUCT + COMMIT + "mov.b32 %a3, 0;\n" + WAIT,
        "wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 (PTX line");
    fails(
        descriptor(0) + FENCE + PRODUCT + COMMIT + "mov.b32 %a3, 0;\n" + WAIT,
        "a register of A has changed before the warp waited");
  }

  @Test
  void registersThatNoFenceSeparatesFromTheProduct() {
    fails(descriptor(0) + PRODUCT + COMMIT + WAIT, "there is no wgmma.fence before it");
    fails(
        descriptor(0) + FENCE + "mov.b32 %a0, 0;\n" + PRODUCT + COMMIT + WAIT,
        "a register has changed since the last wgmma.fence");
    fails(
        good() + "mov.b32 %d3, 0f00000000;\n" + PRODUCT + COMMIT + WAIT,
        "a register has changed since the last wgmma.fence");
    // What a product wrote needs none.
    assertThatCode(() -> run(kernel(), good() + PRODUCT + COMMIT + WAIT))
        .doesNotThrowAnyException();
  }

  @Test
  void sharedMemoryThatIsWrittenTooEarly() {
    String write = "mad.lo.u32 %r8, %thread, 4, %s;\nst.shared.u32 [%r8], 0;\n";
    String body = descriptor(0) + FENCE + PRODUCT + COMMIT + write + WAIT;
    fails(body, "data race in shared memory");
    EmulatedDevice blind = kernel().device().withRaceCheck(false);
    fails(
        kernel().device(blind),
        body,
        "LAUNCH_FAILED (719)",
        "shared memory at offset 0, row 0 of a matrix, has changed before the warp waited");
    // Other warps may not have waited yet.
    fails(good() + write, "data race in shared memory");
    assertThatCode(() -> run(kernel(), good() + "bar.sync 0;\n" + write))
        .doesNotThrowAnyException();
  }

  private static final String STORE =
      """
      cvt.u64.u32 %q1, %at;
      add.u64 %q2, %w, %q1;
      ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%q2];
      add.u32 %r5, %s, %at;
      st.shared.v4.u32 [%r5], {%r1, %r2, %r3, %r4};
      """;

  private static final String COPY =
      """
      cvt.u64.u32 %q1, %at;
      add.u64 %q2, %w, %q1;
      add.u32 %r5, %s, %at;
      cp.async.cg.shared.global [%r5], [%q2], 16;
      """;

  @Test
  void sharedMemoryThatNoBarrierSeparatesFromTheProduct() {
    fails(
        kernel().filling(STORE + "fence.proxy.async;\n"),
        good(),
        "LAUNCH_FAILED (719)",
        "data race in shared memory");
    // Nor may a copy arrive when products have begun.
    fails(
        kernel().filling(COPY + "fence.proxy.async;\nbar.sync 0;\n"),
        descriptor(0) + FENCE + PRODUCT + COMMIT + "cp.async.wait_all;\n" + WAIT,
        "LAUNCH_FAILED (719)",
        "data race in shared memory");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bar.sync 0;",
        "fence.acq_rel.cta; bar.sync 0;",
        "fence.proxy.async.global; bar.sync 0;"
      })
  void whatWasWrittenMustBePublished(String without) {
    for (String filling : new String[] {STORE, COPY + "cp.async.wait_all;\n"}) {
      fails(
          kernel().filling(filling + without),
          good(),
          "LAUNCH_FAILED (719)",
          "no fence.proxy.async lies between this and what thread (0, 0, 0) wrote in shared memory at"
              + " offset 0");
    }
    // Too early.
    fails(
        kernel().filling("fence.proxy.async;\n" + STORE + without),
        good(),
        "LAUNCH_FAILED (719)",
        "no fence.proxy.async lies between");
    fails(
        kernel().filling(COPY + "fence.proxy.async;\ncp.async.wait_all;\n" + without),
        good(),
        "LAUNCH_FAILED (719)",
        "no fence.proxy.async lies between");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "fence.proxy.async; bar.sync 0;",
        "fence.proxy.async.shared::cta; bar.sync 0;",
        "fence.proxy.async.shared::cluster; bar.sync 0;",
        "bar.sync 0; fence.proxy.async;",
        "bar.sync 0; fence.proxy.async; bar.sync 0;",
      })
  void writersOrReadersPublish(String with) {
    for (String filling : new String[] {STORE, COPY + "cp.async.wait_all;\n"}) {
      assertThatCode(() -> run(kernel().filling(filling + with), good()))
          .doesNotThrowAnyException();
    }
  }

  @Test
  void allFourWarpsTakePart() {
    String rest = "setp.ge.u32 %p3, %thread, 96;\n@%p3 bra end;\n" + good() + "end:\n";
    fails(rest, "the warp ended, another of the four that run it together has run it");
    String other =
        "setp.ge.u32 %p3, %thread, 32;\n@%p3 bra other;\n"
            + good()
            + "bra end;\nother:\n"
            + good()
            + "end:\n";
    fails(other, "another warp of the four that run it together ran wgmma.fence");
    String descriptors =
        "shl.b32 %r8, %at, 1;\nand.b32 %r8, %r8, 1024;\nadd.u32 %s, %s, %r8;\n" + good();
    fails(descriptors, "has another matrix descriptor");
    fails(
        kernel().threads(192),
        good(),
        "LAUNCH_FAILED (719)",
        "it takes 128 threads, the last of the block are 64");
  }

  @Test
  void allOfAWarpTakesPart() {
    fails(
        "and.b32 %r8, %thread, 31;\nsetp.ne.u32 %p3, %r8, 5;\n" + descriptor(0) + "@%p3 " + FENCE,
        "it takes a whole warp, only lanes 0xffffffdf are here");
    fails(
        descriptor(0)
            + FENCE
            + "cvt.u64.u32 %q3, %thread;\nshl.b64 %q3, %q3, 1;\nadd.u64 %b, %b, %q3;\n"
            + PRODUCT,
        "the matrix descriptor is not the same for all lanes");
    fails(
        "setp.gt.u32 %p1, %thread, 7;\n"
            + descriptor(0)
            + FENCE
            + PRODUCT.replace(" 1, 1", " %p1, 1"),
        "scale-d is not the same for all lanes");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "512 | 1024 | 1 | its rows of 128 bytes do not begin at a multiple of 1024",
        "112 | 1024 | 1 | 32 bytes from byte 112 of a row of 128",
        "256 | 512 | 2 | its rows of 64 bytes do not begin at a multiple of 512",
        "16 | 256 | 3 | 32 bytes from byte 16 of a row of 32"
      })
  void descriptorsAreChecked(int from, int stride, int mode, String message) {
    fails(kernel().descriptor("%b", from, 16, stride, mode) + FENCE + PRODUCT, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0x0002000000000000 | only a base offset of 0 is emulated",
        "0x0010000000000000 | it has bits that mean nothing",
        "0x0000000000008000 | it has bits that mean nothing"
      })
  void bitsOfDescriptorsAreChecked(String bits, String message) {
    fails(descriptor(0) + "or.b64 %b, %b, " + bits + ";\n" + FENCE + PRODUCT, message);
  }

  @Test
  void matricesLieInSharedMemory() {
    fails(
        kernel(),
        descriptor(2048) + FENCE + PRODUCT,
        "ILLEGAL_ADDRESS (700)",
        "row 0 of a matrix: 16 bytes at offset 2048 of shared memory, which has 2048");
  }

  @Test
  void whatBulkCopiesBringNeedsNoFence() {
    String begin =
        """
        .shared .align 8 .b64 bar;
        .reg .b32 %bar;
        mov.u32 %bar, bar;
        setp.ne.u32 %p2, %thread, 0;
        @%p2 bra ready;
        mbarrier.init.shared.b64 [%bar], 1;
        fence.mbarrier_init.release.cluster;
        ready:
        bar.sync 0;
        @%p2 bra begun;
        mbarrier.arrive.expect_tx.shared.b64 _, [%bar], 2048;
        cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%s], [%w], 2048, [%bar];
        begun:
        """;
    String wait = "wait:\nmbarrier.try_wait.parity.shared.b64 %p3, [%bar], 0;\n@!%p3 bra wait;\n";
    assertThat(run(kernel().filling(begin + wait), good())).isEqualTo(run(kernel(), good()));
    fails(
        kernel().filling(begin),
        good() + wait,
        "LAUNCH_FAILED (719)",
        "a bulk copy writes it, and the thread has not seen its mbarrier's phase end");
  }

  @Test
  void productsThatNobodyWaitsFor() {
    fails(descriptor(0) + FENCE + "again:\n" + PRODUCT + "bra again;\n", "256 products have begun");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "sm_90 | m64n8k16.f32.f16.f16 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0; | needs sm_90a, the text is for sm_90",
        "sm_90a | m64n12k16.f32.f16.f16 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0; | unknown instruction wgmma.mma_async.sync.aligned.m64n12k16",
        "sm_90a | m64n264k16.f32.f16.f16 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0; | unknown instruction wgmma",
        "sm_90a | m64n8k16.f16.f16.f16 {%d0, %d1}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0; | unknown instruction wgmma",
        "sm_90a | m64n8k16.f32.f16.bf16 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0; | unknown instruction wgmma",
        "sm_90a | m64n8k16.f32.f16.f16 {%d0, %d1, %d2}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0; | 4 registers were expected as operand 0",
        "sm_90a | m64n8k16.f32.f16.f16 {%d0, %d1, %d2, %d2}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 0; | a register is there twice",
        "sm_90a | m64n8k16.f32.f16.f16 {%d0, %d1, %d2, %d3}, {%a0, %a1}, %b, 1, 1, 1, 0; | 4 registers were expected as operand 1",
        "sm_90a | m64n8k16.f32.f16.f16 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, %b, 1, 2, 1, 0; | 1 or -1 was expected",
        "sm_90a | m64n8k16.f32.f16.f16 {%d0, %d1, %d2, %d3}, {%a0, %a1, %a2, %a3}, %b, 1, 1, 1, 1; | with imm-trans 1: only rows along K are emulated",
        "sm_90a | m64n8k16.f32.f16.f16 {%d0, %d1, %d2, %d3}, %l, %b, 1, 1, 1, 0; | with 7 operands"
      })
  void formsThatAreNoneAreRefused(String target, String line, String message) {
    assertThatThrownBy(
            () -> run(kernel().target(target), "wgmma.mma_async.sync.aligned." + line + "\n"))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_INVALID_PTX")
        .hasMessageContaining(message);
  }

  @Test
  void onlyTheDeviceThatATextIsMadeForRunsIt() {
    for (int capability : new int[] {80, 89, 100}) {
      EmulatedDevice other = kernel().device().withComputeCapability(capability);
      assertThatThrownBy(() -> run(kernel().device(other), good()))
          .hasMessageContaining("it is for sm_90a, the device is sm_" + capability);
    }
  }
}
