package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.accelerator.BinaryCache;
import dev.kancil.backend.accelerator.DeviceBuffer;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class WeightTilesTest {
  private static final int COLUMNS = 768;

  @TempDir Path folder;

  private final WatchedDriver watched = new WatchedDriver();

  /** What brings matrices to a device of its own. */
  private final class Scene implements AutoCloseable {
    final CudaMemory memory;
    final CudaKernels kernels;
    final WeightTiles tiles;

    Scene(int pieceBytes, long storedBytes) {
      CudaDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
      memory =
          new CudaMemory(
              watched.watch(driver),
              0,
              new DeviceDescription("cuda:emulated", "emulated", "", 1 << 30, null),
              null,
              2,
              pieceBytes);
      kernels =
          new CudaKernels(
              memory, RequiredNvrtc.find(), "compute_80", new BinaryCache(folder, "a test"), null);
      tiles = new WeightTiles(memory, kernels, true, storedBytes);
    }

    byte[] laid(Tensor tensor) {
      AtomicLong loaded = new AtomicLong();
      try (DeviceBuffer laid = tiles.lay(tensor, "a matrix", loaded::addAndGet);
          Arena arena = Arena.ofConfined()) {
        memory.finishLoads();
        assertThat(loaded).hasValue(tensor.data().byteSize());
        MemorySegment data = arena.allocate(laid.bytes());
        memory.read(laid, 0, data);
        return data.toArray(ValueLayout.JAVA_BYTE);
      }
    }

    @Override
    public void close() {
      tiles.close();
      kernels.close();
      memory.close();
    }
  }

  private static Tensor random(DataType type, Shape shape) {
    byte[] data = new byte[Math.toIntExact(type.byteSize(shape.elements()))];
    new SplittableRandom(3).nextBytes(data);
    return new Tensor(type, shape, MemorySegment.ofArray(data));
  }

  static Stream<DataType> types() {
    return Arrays.stream(DataType.values()).filter(type -> TileFormat.of(type).isPresent());
  }

  @ParameterizedTest
  @MethodSource("types")
  void tilesAreTheSameInPiecesAsAtOnce(DataType type) {
    Tensor plain = random(type, Shape.of(131, COLUMNS));
    Tensor experts = random(type, Shape.of(3, 21, COLUMNS));
    byte[] plainAtOnce;
    byte[] expertsAtOnce;
    try (Scene scene = new Scene(1 << 20, 1 << 20)) {
      plainAtOnce = scene.laid(plain);
      expertsAtOnce = scene.laid(experts);
    }
    // Pieces of an odd size, less than a row; two tiles at a time, and less than one.
    for (long tilesAtOnce : new long[] {2, 0}) {
      long storedBytes = tilesAtOnce * TileFormat.ROWS * type.byteSize(COLUMNS);
      try (Scene scene = new Scene(333, storedBytes)) {
        assertThat(scene.laid(experts)).isEqualTo(expertsAtOnce);
        assertThat(scene.laid(plain)).isEqualTo(plainAtOnce);
        assertThat(scene.laid(experts)).isEqualTo(expertsAtOnce);
      }
    }
    assertThat(watched.held()).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("types")
  void tilesTakeLittleMoreRoomThanWhatIsStored(DataType type) {
    Shape shape = Shape.of(1024, 4096);
    DataType like =
        switch (type) {
          // Numbers of levels take four bits, and a byte for sixteen.
          case IQ1_S, IQ1_M, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S -> DataType.IQ4_XS;
          case TQ1_0, TQ2_0 -> DataType.Q2_K;
          default -> type;
        };
    try (Scene scene = new Scene(1 << 20, 1 << 20)) {
      assertThat((double) scene.tiles.bytes(type, shape) / like.byteSize(shape.elements()))
          .isBetween(1.0, 1.08);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 103, 144, 255})
  void anExponentWhosePowerIsNoHalfIsNotLaid(int exponent) {
    Tensor tensor = random(DataType.MXFP4, Shape.of(3, COLUMNS));
    try (Scene scene = new Scene(1 << 20, 1 << 20)) {
      for (long at = 0; at < tensor.data().byteSize(); at += DataType.MXFP4.blockBytes()) {
        tensor.data().set(ValueLayout.JAVA_BYTE, at, (byte) (104 + at % 40));
      }
      assertThat(scene.tiles.holds(tensor)).isTrue();
      tensor.data().set(ValueLayout.JAVA_BYTE, 6 * 17, (byte) exponent);
      assertThat(scene.tiles.holds(tensor)).isFalse();
    }
  }

  @Test
  void theHostWaitsOnlyForPiecesAndRowsLieInOnePlace() {
    Tensor tensor = random(DataType.Q4_K, Shape.of(256, COLUMNS));
    try (Scene scene = new Scene(1 << 20, 64 << 10)) {
      scene.laid(tensor);
      int waits = watched.calls("synchronize");
      int allocated = watched.calls("allocate");
      try (DeviceBuffer first = scene.tiles.lay(tensor, "first", _ -> {});
          DeviceBuffer second = scene.tiles.lay(tensor, "second", _ -> {})) {
        assertThat(first.bytes()).isEqualTo(second.bytes());
        assertThat(watched.calls("synchronize")).isEqualTo(waits);
        assertThat(watched.calls("allocate")).isEqualTo(allocated + 2);
        scene.memory.finishLoads();
      }
    }
  }

  @Test
  void aLaunchThatFailsOnTheWayIsToldAndLeavesNothingBehind() {
    Tensor tensor = random(DataType.Q4_0, Shape.of(80, COLUMNS));
    try (Scene scene = new Scene(1000, 0)) {
      scene.laid(tensor);
      int held = watched.held().getOrDefault("allocate", 0);
      watched.fail("launch", 3);
      assertThatThrownBy(() -> scene.tiles.lay(tensor, "a matrix", _ -> {}))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("launch fails");
      assertThat(watched.held()).containsEntry("allocate", held);
    }
    assertThat(watched.held()).isEmpty();
  }

  @Test
  void aDeviceThatIsLostOnTheWayIsToldAndClosedWithoutAnotherError() {
    try (Scene scene = new Scene(1000, 0)) {
      CudaDriver driver = scene.memory.driver();
      Tensor tensor = random(DataType.Q4_0, Shape.of(80, COLUMNS));
      scene.laid(tensor);
      // A copy from pinned memory that is gone is found by the device, after the call.
      MemorySegment pinned = driver.allocatePinned(1 << 10);
      try (DeviceBuffer buffer = scene.memory.allocate(1 << 10, "a test")) {
        driver.beginCapture(scene.memory.stream());
        driver.copyToDevice(CudaBuffer.address(buffer), pinned, scene.memory.stream());
        long graph = driver.endCapture(scene.memory.stream());
        long executable = driver.instantiate(graph);
        driver.freePinned(pinned);
        driver.launchGraph(executable, scene.memory.stream());
        assertThatThrownBy(
                () -> {
                  for (int i = 0; i < 1000; i++) {
                    scene.laid(tensor);
                  }
                })
            .isInstanceOf(DeviceException.class)
            .hasMessageContaining("pinned memory that was freed");
      }
    }
  }
}
