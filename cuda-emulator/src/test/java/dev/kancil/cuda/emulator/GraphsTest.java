package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.DeviceAttribute;
import dev.kancil.bindings.cuda.FunctionAttribute;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Streams that record, graphs, timed events, and what a kernel needs. */
class GraphsTest {
  /** x[i] = x[i] * factor + i. */
  private static final String KERNEL =
      """
      .version 7.8
      .target sm_80
      .address_size 64
      .visible .entry step(.param .u64 x, .param .u32 factor)
      .maxntid 512, 1, 1
      {
        .reg .b64 %rd<4>;
        .reg .b32 %r<5>;
        .shared .align 4 .b8 s[2048];
        .local .align 8 .b8 l[24];
        ld.param.u64 %rd1, [x];
        ld.param.u32 %r4, [factor];
        mov.u32 %r1, %tid.x;
        mad.wide.u32 %rd2, %r1, 4, %rd1;
        ld.global.u32 %r2, [%rd2];
        mad.lo.u32 %r2, %r2, %r4, %r1;
        mov.u32 %r3, s;
        st.shared.u32 [%r3], %r2;
        mov.u64 %rd3, l;
        st.local.u32 [%rd3], %r2;
        ld.local.u32 %r2, [%rd3];
        st.global.u32 [%rd2], %r2;
        ret;
      }
      """;

  private static EmulatedKernels kernels() {
    EmulatedDevice device =
        EmulatedDevice.standard().withComputeCapability(90).withRaceCheck(false);
    return new EmulatedKernels(device).ptx(KERNEL);
  }

  private static void refuses(String error, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_" + error);
  }

  @Test
  void whatIsRecordedRunsInOrderWhenItIsLaunched() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      MemorySegment in = driver.allocatePinned(16);
      MemorySegment out = driver.allocatePinned(32);
      out.fill((byte) 9);
      long x = driver.allocate(16);
      long y = driver.allocate(16);
      long function = kernels.function("step");
      KernelArguments arguments = kernels.arguments(x, 10);
      driver.beginCapture(stream);
      driver.copyToDevice(x, in, stream);
      driver.launch(function, 1, 1, 1, 4, 1, 1, 0, stream, arguments);
      // The launch keeps the argument that it was given.
      arguments.set(1, 3);
      driver.launch(function, 1, 1, 1, 4, 1, 1, 0, stream, arguments, true);
      arguments.set(1, 0);
      driver.copy(y, x, 8, stream);
      driver.fill(y + 8, (byte) 1, 8, stream);
      driver.copyToHost(out.asSlice(0, 16), y, stream);
      driver.copyToHost(out.asSlice(16, 16), x, stream);
      long graph = driver.endCapture(stream);
      driver.synchronize(stream);
      assertThat(out.get(ValueLayout.JAVA_INT, 0)).isEqualTo(0x0909_0909);
      long executable = driver.instantiate(graph);
      driver.destroyGraph(graph);
      for (int round = 1; round < 4; round++) {
        MemorySegment.copy(
            new int[] {round, 2 * round, 3 * round, 4 * round}, 0, in, ValueLayout.JAVA_INT, 0, 4);
        driver.launchGraph(executable, stream);
        driver.synchronize(stream);
        assertThat(out.toArray(ValueLayout.JAVA_INT))
            .containsExactly(
                30 * round,
                60 * round + 4,
                0x0101_0101,
                0x0101_0101,
                30 * round,
                60 * round + 4,
                90 * round + 8,
                120 * round + 12);
      }
      driver.destroyExecutable(executable);
      refuses("INVALID_HANDLE", () -> driver.launchGraph(executable, stream));
      refuses("INVALID_HANDLE", () -> driver.instantiate(graph));
      refuses("INVALID_HANDLE", () -> driver.destroyGraph(graph));
    }
  }

  @Test
  void aGraphCanBePartOfAnother() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      long x = kernels.upload(1, 1);
      driver.beginCapture(stream);
      KernelArguments arguments = kernels.arguments(x, 2);
      driver.launch(kernels.function("step"), 1, 1, 1, 2, 1, 1, 0, stream, arguments);
      long inner = driver.instantiate(driver.endCapture(stream));
      driver.beginCapture(stream);
      driver.launchGraph(inner, stream);
      driver.launchGraph(inner, stream);
      long outer = driver.instantiate(driver.endCapture(stream));
      driver.launchGraph(outer, stream);
      driver.synchronize(stream);
      assertThat(kernels.ints(x, 2)).containsExactly(4, 7);
    }
  }

  @Test
  void otherWorkGoesOnWhileAStreamRecords() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      long other = driver.createStream();
      driver.beginCapture(stream);
      long x = kernels.upload(5, 6);
      driver.free(driver.allocate(4));
      driver.freePinned(driver.allocatePinned(4));
      KernelArguments arguments = kernels.arguments(x, 2);
      driver.launch(kernels.function("step"), 1, 1, 1, 2, 1, 1, 0, other, arguments);
      driver.synchronize(other);
      assertThat(kernels.ints(x, 2)).containsExactly(10, 13);
      driver.destroyGraph(driver.endCapture(stream));
    }
  }

  @Test
  void waitingSpoilsACapture() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      long x = driver.allocate(16);
      refuses("ILLEGAL_STATE (401)", () -> driver.endCapture(stream));
      refuses("STREAM_CAPTURE_UNSUPPORTED (900)", () -> driver.beginCapture(0));
      driver.beginCapture(stream);
      refuses("ILLEGAL_STATE", () -> driver.beginCapture(stream));
      refuses("STREAM_CAPTURE_UNSUPPORTED", () -> driver.synchronize(stream));
      refuses("STREAM_CAPTURE_INVALIDATED (901)", () -> driver.fill(x, (byte) 1, 4, stream));
      refuses("STREAM_CAPTURE_INVALIDATED", () -> driver.endCapture(stream));
      // The stream works again.
      driver.fill(x, (byte) 1, 4, stream);
      driver.synchronize(stream);
      assertThat(kernels.ints(x, 1)).containsExactly(0x0101_0101);
      driver.beginCapture(stream);
      MemorySegment heap = MemorySegment.ofArray(new int[4]);
      refuses("STREAM_CAPTURE_UNSUPPORTED", () -> driver.copyToDevice(x, heap, stream));
      refuses("STREAM_CAPTURE_INVALIDATED", () -> driver.endCapture(stream));
    }
  }

  @Test
  void eventsOfARecordingStreamAreNotWaitedFor() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      long event = driver.createEvent();
      driver.beginCapture(stream);
      driver.record(event, stream);
      refuses("CAPTURED_EVENT (907)", () -> driver.await(event));
      driver.destroyGraph(driver.endCapture(stream));
      driver.record(event, stream);
      driver.await(event);
    }
  }

  @Test
  void memoryThatAGraphTouchesMustBeThere() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      long x = driver.allocate(16);
      driver.beginCapture(stream);
      driver.fill(x, (byte) 1, 16, stream);
      long executable = driver.instantiate(driver.endCapture(stream));
      driver.free(x);
      driver.launchGraph(executable, stream);
      assertThatThrownBy(() -> driver.synchronize(stream))
          .isInstanceOf(CudaException.class)
          .hasMessageContaining("into a freed allocation of 16 bytes");
    }
  }

  @Test
  void timedEventsTellTheTimeBetweenThem() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long from = driver.createTimedEvent();
      long to = driver.createTimedEvent();
      long plain = driver.createEvent();
      refuses("INVALID_HANDLE (400)", () -> driver.milliseconds(from, to));
      long x = kernels.upload(new int[512]);
      driver.record(from, 0);
      KernelArguments arguments = kernels.arguments(x, 2);
      long function = kernels.function("step");
      for (int i = 0; i < 20; i++) {
        driver.launch(function, 1, 1, 1, 512, 1, 1, 0, 0, arguments);
      }
      driver.record(to, 0);
      driver.record(plain, 0);
      driver.await(to);
      assertThat(driver.milliseconds(from, to)).isPositive().isLessThan(60_000);
      assertThat(driver.milliseconds(to, from)).isNegative();
      refuses("INVALID_HANDLE", () -> driver.milliseconds(from, plain));
      driver.destroyEvent(to);
      refuses("INVALID_HANDLE", () -> driver.milliseconds(from, to));
    }
  }

  @Test
  void startingEarlyNeedsANewDevice() {
    EmulatedDevice device = EmulatedDevice.standard();
    try (EmulatedKernels kernels = new EmulatedKernels(device).ptx(KERNEL)) {
      long x = kernels.upload(new int[1]);
      long function = kernels.function("step");
      KernelArguments arguments = kernels.arguments(x, 1);
      refuses(
          "NOT_SUPPORTED (801)",
          () -> kernels.driver.launch(function, 1, 1, 1, 1, 1, 1, 0, 0, arguments, true));
    }
  }

  @Test
  void kernelsAndDevicesTellWhatTheyNeedAndHave() {
    try (EmulatedKernels kernels = kernels()) {
      EmulatedDriver driver = kernels.driver;
      long step = kernels.function("step");
      assertThat(driver.attribute(step, FunctionAttribute.MAX_THREADS_PER_BLOCK)).isEqualTo(512);
      assertThat(driver.attribute(step, FunctionAttribute.STATIC_SHARED_BYTES)).isEqualTo(2048);
      assertThat(driver.attribute(step, FunctionAttribute.LOCAL_BYTES)).isEqualTo(32);
      assertThat(driver.attribute(step, FunctionAttribute.REGISTERS)).isZero();
      assertThat(driver.occupancy(step, 33, 0)).isEqualTo(32);
      assertThat(driver.occupancy(step, 512, 0)).isEqualTo(4);
      assertThat(driver.occupancy(step, 513, 0)).isZero();
      // 228 KiB for blocks of 2 KiB of their own, 1 KiB of the system's and 40 KiB of the launch's.
      assertThat(driver.occupancy(step, 128, 40 << 10)).isEqualTo(5);
      refuses("INVALID_VALUE", () -> driver.occupancy(step, 0, 0));
      assertThat(driver.attribute(0, DeviceAttribute.MAX_SHARED_MEMORY_PER_MULTIPROCESSOR))
          .isEqualTo(228 << 10);
      assertThat(driver.attribute(0, DeviceAttribute.MAX_THREADS_PER_MULTIPROCESSOR))
          .isEqualTo(2048);
      assertThat(driver.attribute(0, DeviceAttribute.L2_CACHE_SIZE)).isEqualTo(50 << 20);
    }
  }
}
