package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.ParallelMatMul;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

class CudaDeviceTest {
  private static final StateLayout LAYOUT =
      new StateLayout(List.of(new StateGroup(1, 512, 512, DataType.F32, DataType.F32, 0)));

  @Test
  void whereThereIsNoDriverThereIsAReason() {
    for (DeviceDescription description : new CudaBackend().devices()) {
      assertThat(description.isAvailable() || description.unavailableBecause() != null).isTrue();
    }
  }

  @Test
  void anEmulatedDeviceIsOpenedByItsNameAndNeverChosen() {
    RequiredNvrtc.find();
    try (Device device = Backends.open("cuda:emulated", DeviceOptions.DEFAULT)) {
      assertThat(device.description().name()).isEqualTo("Emulated GPU");
    }
    assertThat(Backends.devices()).extracting(DeviceDescription::id).contains("cuda:emulated");
    // What rank 0 means for auto.
    assertThat(new EmulatedBackend().rank()).isZero();
  }

  @Test
  void aDeviceThatIsTooOldIsRefusedByName() {
    CudaBackend backend = backend(EmulatedDevice.standard().withComputeCapability(70));
    assertThat(backend.devices().getFirst().unavailableBecause())
        .isEqualTo("its compute capability is 7.0; 7.5 is the least");
    assertThatThrownBy(() -> backend.open(0, DeviceOptions.DEFAULT))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("7.0");
  }

  @Test
  void tooLittleMemoryNamesWhatItWasForAndWhatToLower() {
    CudaBackend backend = backend(EmulatedDevice.standard().withMemoryBytes(10 << 20));
    try (Device device = backend.open(0, DeviceOptions.DEFAULT)) {
      assertThatThrownBy(() -> device.createState(LAYOUT, 1, 4096))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("no 8.0 MiB left for the KV cache")
          .hasMessageContaining("has 10.0 MiB, of which Kancil has taken 8.0 MiB")
          .hasMessageContaining("--ctx");
      // What was allocated before the refusal is free again.
      device.createState(LAYOUT, 1, 1024).close();
    }
  }

  @Test
  void theSpeedOfReadingIsThatOfAllMemoryThatWasToBeRead() {
    CudaBackend backend = backend(EmulatedDevice.standard().withMemoryBytes(1 << 20));
    try (Device device = backend.open(0, DeviceOptions.DEFAULT)) {
      // It fails if the sum of what was read is wrong.
      assertThat(device.readBytesPerSecond().orElseThrow()).isPositive().isFinite();
    }
  }

  @Test
  void allMemoryIsGivenBack() {
    CudaDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
    Nvrtc compiler = RequiredNvrtc.find();
    driver.makeCurrent(driver.retainContext(0));
    long before = driver.freeBytes();
    Weight there = new Weight("there", DataType.F32, Shape.of(50, 32));
    Weight missing = new Weight("missing", DataType.F32, Shape.of(50, 32));
    try (Device device = new CudaBackend(driver, compiler).open(0, DeviceOptions.DEFAULT);
        DeviceWeights weights = device.weights(weight -> only(there, weight));
        SequenceState state = device.createState(LAYOUT, 2, 100);
        Program program =
            device.compile(products(there, there), weights, new StepLimits(9, 2, 9))) {
      assertThat(driver.freeBytes()).isLessThan(before - program.bytes());
      assertThat(state.bytes()).isPositive();
      assertThatThrownBy(
              () -> device.compile(products(there, missing), weights, new StepLimits(9, 2, 9)))
          .hasMessage("no missing");
    }
    driver.makeCurrent(driver.retainContext(0));
    assertThat(driver.freeBytes()).isEqualTo(before);
  }

  private static Graph products(Weight first, Weight second) {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value x = builder.add("x", new Embedding(), tokens, first);
    List<Value> products =
        builder.add(List.of("y", "z"), new ParallelMatMul(2), List.of(x, first, second));
    return builder.build(products, new StateLayout(List.of()));
  }

  private static Tensor only(Weight there, Weight weight) {
    if (!weight.equals(there)) {
      throw new IllegalArgumentException("no " + weight.name());
    }
    int bytes = Math.toIntExact(4 * weight.shape().elements());
    return new Tensor(weight.type(), weight.shape(), MemorySegment.ofArray(new byte[bytes]));
  }

  private static CudaBackend backend(EmulatedDevice device) {
    return new CudaBackend(new EmulatedDriver(device), RequiredNvrtc.find());
  }
}
