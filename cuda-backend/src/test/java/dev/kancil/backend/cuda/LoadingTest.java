package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.DeviceException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.StepLimits;
import dev.kancil.bindings.cuda.CudaDriver;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.MatMul;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LoadingTest {
  private static final Weight TABLE = new Weight("table", DataType.Q8_0, Shape.of(192, 512));
  private static final Weight MATRIX = new Weight("matrix", DataType.Q8_0, Shape.of(64, 512));

  private final WatchedDriver watched = new WatchedDriver();

  private Device open(DeviceOptions options) {
    CudaDriver driver = new EmulatedDriver(EmulatedDevice.standard().withWorkers(1));
    return new CudaBackend(watched.watch(driver), RequiredNvrtc.find()).open(0, options);
  }

  private static Graph graph() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value x = builder.add("x", new Embedding(), tokens, TABLE);
    Value y = builder.add("y", new MatMul(), x, MATRIX);
    return builder.build(List.of(y), new StateLayout(List.of()));
  }

  private static Tensor zeros(Weight weight) {
    int bytes = Math.toIntExact(weight.type().byteSize(weight.shape().elements()));
    return new Tensor(weight.type(), weight.shape(), MemorySegment.ofArray(new byte[bytes]));
  }

  @Test
  void progressIsTheShareOfBytes() {
    List<Double> shares = new ArrayList<>();
    DeviceOptions options = DeviceOptions.DEFAULT.withProgress((_, share) -> shares.add(share));
    StepLimits limits = new StepLimits(1, 1, 1);
    try (Device device = open(options);
        DeviceWeights weights = device.weights(LoadingTest::zeros)) {
      device.compile(graph(), weights, limits).close();
      assertThat(shares).hasSize(4).startsWith(0.0).endsWith(1.0);
      assertThat(shares.get(1)).isCloseTo(0.75, within(1e-9));
      shares.clear();
      // All is there already.
      device.compile(graph(), weights, limits).close();
      assertThat(shares).containsExactly(0.0, 1.0);
    }
  }

  @Test
  void aProgramWaitsOnceForItsWeights() {
    try (Device device = open(DeviceOptions.DEFAULT);
        DeviceWeights weights = device.weights(LoadingTest::zeros)) {
      int before = watched.calls("synchronize");
      try (Program _ = device.compile(graph(), weights, new StepLimits(1, 1, 1))) {
        assertThat(watched.calls("synchronize") - before).isEqualTo(1);
      }
    }
  }

  @Test
  void aCompilationThatFailsWhileWeightsAreOnTheirWayLeavesNothingBehind() {
    for (String call : List.of("copyToDevice", "launch", "allocate")) {
      try (Device device = open(DeviceOptions.DEFAULT);
          DeviceWeights weights = device.weights(LoadingTest::zeros)) {
        watched.fail(call, call.equals("allocate") ? 6 : 2);
        assertThatThrownBy(() -> device.compile(graph(), weights, new StepLimits(1, 1, 1)))
            .as(call)
            .isInstanceOf(DeviceException.class)
            .hasMessageContaining(call + " fails");
        // It can be tried again.
        device.compile(graph(), weights, new StepLimits(1, 1, 1)).close();
      }
      assertThat(watched.held()).as(call).isEmpty();
    }
  }
}
