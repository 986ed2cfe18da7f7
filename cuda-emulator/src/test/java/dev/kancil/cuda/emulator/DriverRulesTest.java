package dev.kancil.cuda.emulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.bindings.cuda.CudaException;
import dev.kancil.bindings.cuda.DeviceAttribute;
import dev.kancil.bindings.cuda.KernelArguments;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** What the driver refuses, and when it says so. */
class DriverRulesTest {
  private static final String ADD_ONE =
      """
      .version 7.0
      .target sm_75
      .address_size 64
      .visible .entry add_one(.param .u64 x)
      .maxntid 256, 1, 1
      {
        .reg .b64 %rd<4>;
        .reg .b32 %r<4>;
        .shared .align 4 .b8 s[1024];
        ld.param.u64 %rd1, [x];
        mov.u32 %r3, s;
        mov.u32 %r1, %tid.x;
        mad.wide.u32 %rd2, %r1, 4, %rd1;
        ld.global.u32 %r2, [%rd2];
        add.u32 %r2, %r2, 1;
        st.global.u32 [%rd2], %r2;
        ret;
      }
      """;

  private static void refuses(String error, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith("CUDA_ERROR_" + error);
  }

  @Test
  void everythingNeedsACurrentContext() {
    try (EmulatedDriver driver = new EmulatedDriver()) {
      refuses("INVALID_CONTEXT (201): ", () -> driver.allocate(4));
      refuses("INVALID_CONTEXT", () -> driver.makeCurrent(77));
      refuses("INVALID_CONTEXT", () -> driver.releaseContext(0));
      refuses("INVALID_DEVICE (101): ", () -> driver.retainContext(1));
      long context = driver.retainContext(0);
      assertThat(driver.retainContext(0)).isEqualTo(context);
      refuses("INVALID_CONTEXT", driver::createStream);
      driver.makeCurrent(context);
      driver.releaseContext(0);
      driver.free(driver.allocate(4));
      driver.releaseContext(0);
      refuses("INVALID_CONTEXT", () -> driver.allocate(4));
    }
  }

  @Test
  void aContextIsCurrentOnOneThread() throws InterruptedException {
    try (EmulatedKernels kernels = new EmulatedKernels()) {
      Throwable[] thrown = new Throwable[1];
      Thread other =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      kernels.driver.allocate(4);
                    } catch (CudaException e) {
                      thrown[0] = e;
                    }
                  });
      other.join();
      assertThat(thrown[0]).hasMessageContaining("no context is current on this thread");
    }
  }

  @Test
  void handlesThatAreNone() {
    try (EmulatedKernels kernels = new EmulatedKernels().ptx(ADD_ONE)) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      driver.destroyStream(stream);
      refuses("INVALID_HANDLE (400): ", () -> driver.synchronize(stream));
      refuses("INVALID_HANDLE", () -> driver.destroyStream(0));
      refuses("INVALID_HANDLE", () -> driver.await(stream));
      refuses("INVALID_HANDLE", () -> driver.unloadModule(1));
      refuses("NOT_FOUND (500): ", () -> kernels.function("nothing"));
      refuses("INVALID_HANDLE", () -> driver.allowSharedBytes(stream, 4));
      refuses("INVALID_VALUE (1): ", () -> driver.free(12));
      refuses("INVALID_VALUE", () -> driver.freePinned(MemorySegment.ofArray(new int[1])));
    }
  }

  @Test
  void launchesBeyondTheLimits() {
    try (EmulatedKernels kernels = new EmulatedKernels().ptx(ADD_ONE)) {
      long x = kernels.upload(new int[256]);
      int[] one = {1, 1, 1};
      refuses("INVALID_VALUE", () -> kernels.run("add_one", 0, 1, x));
      refuses("INVALID_VALUE", () -> kernels.run("add_one", 1, 257, x));
      refuses("INVALID_VALUE", () -> kernels.run("add_one", new int[] {1, 65_536, 1}, one, 0, x));
      refuses("INVALID_VALUE", () -> kernels.run("add_one", one, new int[] {1, 1, 65}, 0, x));
      refuses("INVALID_VALUE", () -> kernels.run("add_one", 1, 1, x, 1));
      refuses("INVALID_VALUE", () -> kernels.run("add_one", one, one, (48 << 10) - 1023, x));
      kernels.run("add_one", one, one, 47 << 10, x);
      long function = kernels.function("add_one");
      refuses("INVALID_VALUE", () -> kernels.driver.allowSharedBytes(function, 163 << 10));
      kernels.driver.allowSharedBytes(function, 100 << 10);
      assertThat(kernels.ints(x, 2)).containsExactly(1, 0);
    }
  }

  @Test
  void copiesStayInTheirAllocation() {
    try (EmulatedKernels kernels = new EmulatedKernels()) {
      EmulatedDriver driver = kernels.driver;
      long x = driver.allocate(16);
      assertThat(x % 256).isZero();
      refuses(
          "INVALID_VALUE", () -> driver.copyToDevice(x + 4, MemorySegment.ofArray(new int[4]), 0));
      refuses("INVALID_VALUE", () -> driver.copyToHost(MemorySegment.ofArray(new int[5]), x, 0));
      refuses("INVALID_VALUE", () -> driver.fill(x - 1, (byte) 1, 2, 0));
      refuses("INVALID_VALUE", () -> driver.copy(x, x + 300, 4, 0));
      refuses("INVALID_VALUE", () -> driver.allocate(0));
      driver.fill(x, (byte) 3, 16, 0);
      long y = driver.allocate(16);
      driver.copy(y, x, 16, 0);
      assertThat(kernels.ints(y, 4)).containsOnly(0x0303_0303);
    }
  }

  @Test
  void hostMemoryThatCannotBeWrittenIsTheCallersFault() {
    try (EmulatedKernels kernels = new EmulatedKernels()) {
      long x = kernels.upload(new int[4]);
      MemorySegment readOnly = MemorySegment.ofArray(new int[4]).asReadOnly();
      assertThatThrownBy(() -> kernels.driver.copyToHost(readOnly, x, 0))
          .isInstanceOf(IllegalArgumentException.class);
      assertThat(kernels.ints(x, 4)).containsOnly(0);
    }
  }

  @Test
  void twoDevicesHaveMemoriesOfTheirOwn() {
    EmulatedDevice device = EmulatedDevice.standard().withMemoryBytes(1024);
    try (EmulatedDriver driver = new EmulatedDriver(device, device)) {
      long first = driver.retainContext(0);
      long second = driver.retainContext(1);
      driver.makeCurrent(first);
      driver.allocate(1000);
      long stream = driver.createStream();
      driver.makeCurrent(second);
      assertThat(driver.freeBytes()).isEqualTo(1024);
      refuses("INVALID_HANDLE", () -> driver.synchronize(stream));
    }
  }

  @Test
  void memoryIsCounted() {
    EmulatedDevice device = EmulatedDevice.standard().withMemoryBytes(1000);
    try (EmulatedKernels kernels = new EmulatedKernels(device)) {
      long x = kernels.driver.allocate(600);
      assertThat(kernels.driver.freeBytes()).isEqualTo(400);
      assertThatThrownBy(() -> kernels.driver.allocate(401))
          .isInstanceOfSatisfying(
              CudaException.class,
              e -> assertThat(e.code()).isEqualTo(CudaException.OUT_OF_MEMORY));
      kernels.driver.free(x);
      assertThat(kernels.driver.freeBytes()).isEqualTo(1000);
    }
  }

  @Test
  void aKernelsErrorComesLaterAndStays() {
    try (EmulatedKernels kernels = new EmulatedKernels().ptx(ADD_ONE)) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      try (Arena arena = Arena.ofConfined()) {
        KernelArguments arguments = new KernelArguments(arena, List.of(ValueLayout.JAVA_LONG));
        arguments.set(0, 64L);
        driver.launch(kernels.function("add_one"), 1, 1, 1, 1, 1, 1, 0, stream, arguments);
      }
      refuses("ILLEGAL_ADDRESS (700): kernel add_one", () -> driver.synchronize(stream));
      refuses("ILLEGAL_ADDRESS", () -> driver.allocate(4));
      refuses("ILLEGAL_ADDRESS", () -> driver.synchronize(0));
      // A new context knows nothing of it.
      driver.releaseContext(0);
      driver.makeCurrent(driver.retainContext(0));
      driver.free(driver.allocate(4));
    }
  }

  @Test
  void streamsEventsAndPinnedMemory() {
    try (EmulatedKernels kernels = new EmulatedKernels().ptx(ADD_ONE)) {
      EmulatedDriver driver = kernels.driver;
      long stream = driver.createStream();
      long event = driver.createEvent();
      driver.await(event);
      MemorySegment pinned = driver.allocatePinned(1024);
      pinned.fill((byte) 0);
      pinned.setAtIndex(ValueLayout.JAVA_INT, 3, 41);
      long x = driver.allocate(1024);
      driver.copyToDevice(x, pinned, stream);
      long function = kernels.function("add_one");
      driver.launch(function, 1, 1, 1, 256, 1, 1, 0, stream, kernels.arguments(x));
      driver.copyToHost(pinned.asSlice(16, 16), x, stream);
      driver.record(event, stream);
      driver.await(event);
      assertThat(pinned.getAtIndex(ValueLayout.JAVA_INT, 7)).isEqualTo(42);
      // The device reaches pinned memory itself.
      driver.launch(function, 1, 1, 1, 256, 1, 1, 0, stream, kernels.arguments(pinned.address()));
      driver.synchronize(stream);
      assertThat(pinned.getAtIndex(ValueLayout.JAVA_INT, 7)).isEqualTo(43);
      driver.destroyEvent(event);
      driver.destroyStream(stream);
      driver.freePinned(pinned);
    }
  }

  @Test
  void attributesAreThoseOfTheDevice() {
    try (EmulatedDriver driver =
        new EmulatedDriver(EmulatedDevice.standard().withComputeCapability(75))) {
      assertThat(driver.attribute(0, DeviceAttribute.COMPUTE_CAPABILITY_MAJOR)).isEqualTo(7);
      assertThat(driver.attribute(0, DeviceAttribute.COMPUTE_CAPABILITY_MINOR)).isEqualTo(5);
      assertThat(driver.attribute(0, DeviceAttribute.WARP_SIZE)).isEqualTo(32);
      assertThat(driver.attribute(0, DeviceAttribute.MAX_SHARED_MEMORY_PER_BLOCK_OPTIN))
          .isEqualTo(65_536);
      assertThat(driver.deviceCount()).isEqualTo(1);
    }
  }
}
