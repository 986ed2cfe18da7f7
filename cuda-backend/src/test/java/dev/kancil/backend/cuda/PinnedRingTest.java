package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PinnedRingTest {
  private static final int PIECES = 3;
  private static final int PIECE_BYTES = 1000;

  private final WatchedDriver watched = new WatchedDriver();

  private CudaMemory memory(int pieceBytes) {
    DeviceDescription description =
        new DeviceDescription("cuda:emulated", "emulated", "", 1 << 30, null);
    return new CudaMemory(
        watched.watch(new EmulatedDriver(EmulatedDevice.standard().withWorkers(1))),
        0,
        description,
        null,
        PIECES,
        pieceBytes);
  }

  private static byte[] random(int bytes) {
    byte[] data = new byte[bytes];
    new SplittableRandom(bytes).nextBytes(data);
    return data;
  }

  private static byte[] read(CudaMemory memory, DeviceBuffer buffer) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate(buffer.bytes());
      memory.read(buffer, 0, data);
      return data.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 999, 1000, 1001, 3000, 3001, 12_345})
  void bytesArriveAsTheyAre(int bytes) {
    byte[] data = random(bytes);
    try (CudaMemory memory = memory(PIECE_BYTES);
        DeviceBuffer buffer = memory.allocate(bytes + 7, "a test")) {
      memory.write(buffer, 0, MemorySegment.ofArray(new byte[bytes + 7]));
      AtomicLong copied = new AtomicLong();
      MemorySegment source = MemorySegment.ofArray(data.clone());
      memory.ring().copy(CudaBuffer.address(buffer) + 3, source, copied::addAndGet);
      // It was read, and may change.
      source.fill((byte) 0);
      memory.finishLoads();
      byte[] expected = new byte[bytes + 7];
      System.arraycopy(data, 0, expected, 3, bytes);
      assertThat(read(memory, buffer)).isEqualTo(expected);
      assertThat(copied).hasValue(bytes);
    }
    assertThat(watched.held()).isEmpty();
  }

  @Test
  void largePiecesAreFilledByThreadsAndThoseOfOneThreadsMemoryAreNot() {
    int bytes = 5 << 20;
    byte[] data = random(bytes);
    try (CudaMemory memory = memory(3 << 20);
        DeviceBuffer buffer = memory.allocate(bytes, "a test");
        Arena confined = Arena.ofConfined()) {
      memory.load(buffer, 0, MemorySegment.ofArray(data), _ -> {});
      memory.finishLoads();
      assertThat(read(memory, buffer)).isEqualTo(data);
      memory.write(buffer, 0, MemorySegment.ofArray(new byte[bytes]));
      memory.load(buffer, 0, confined.allocateFrom(ValueLayout.JAVA_BYTE, data), _ -> {});
      memory.finishLoads();
      assertThat(read(memory, buffer)).isEqualTo(data);
    }
  }

  @Test
  void aSourceThatIsGoneIsToldByWhoeverFindsItFirst() {
    try (CudaMemory memory = memory(3 << 20);
        DeviceBuffer buffer = memory.allocate(3 << 20, "a test")) {
      MemorySegment source;
      try (Arena arena = Arena.ofShared()) {
        source = arena.allocate(3 << 20);
      }
      assertThatThrownBy(() -> memory.load(buffer, 0, source, _ -> {}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("Already closed");
    }
    assertThat(watched.held()).isEmpty();
  }

  @Test
  void theHostWaitsForNoPieceThatIsFree() {
    try (CudaMemory memory = memory(PIECE_BYTES);
        DeviceBuffer buffer = memory.allocate(5 * PIECE_BYTES, "a test")) {
      long target = CudaBuffer.address(buffer);
      memory.ring().copy(target, MemorySegment.ofArray(random(3 * PIECE_BYTES)), _ -> {});
      assertThat(watched.calls("await") + watched.calls("synchronize")).isZero();
      memory.ring().copy(target, MemorySegment.ofArray(random(5 * PIECE_BYTES)), _ -> {});
      assertThat(watched.calls("await")).isEqualTo(5);
      assertThat(watched.calls("synchronize")).isZero();
      assertThat(watched.calls("allocatePinned")).isEqualTo(PIECES);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"allocatePinned", "createEvent", "createStream", "copyToDevice", "record"})
  void aCallThatFailsOnTheWayIsToldAndLeavesNothingBehind(String call) {
    try (CudaMemory memory = memory(PIECE_BYTES);
        DeviceBuffer buffer = memory.allocate(5 * PIECE_BYTES, "a test")) {
      watched.fail(call, call.equals("createStream") ? 1 : 2);
      MemorySegment source = MemorySegment.ofArray(random(5 * PIECE_BYTES));
      assertThatThrownBy(() -> memory.ring().copy(CudaBuffer.address(buffer), source, _ -> {}))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining(call + " fails");
      // The ring is as good as before.
      memory.ring().copy(CudaBuffer.address(buffer), source, _ -> {});
      memory.finishLoads();
      assertThat(read(memory, buffer)).isEqualTo(source.toArray(ValueLayout.JAVA_BYTE));
    }
    assertThat(watched.held()).isEmpty();
  }
}
