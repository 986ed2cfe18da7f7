package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.StepLimits;
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
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LayingTest {
  private static final Weight TABLE = new Weight("table", DataType.Q8_0, Shape.of(64, 512));
  private static final Weight FIRST = new Weight("first", DataType.Q8_0, Shape.of(512, 512));
  private static final Weight SECOND = new Weight("second", DataType.Q8_0, Shape.of(448, 512));

  private static Graph graph() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value x = builder.add("x", new Embedding(), tokens, TABLE);
    Value y = builder.add("y", new MatMul(), x, FIRST);
    Value z = builder.add("z", new MatMul(), y, SECOND);
    return builder.build(List.of(z), new StateLayout(List.of()));
  }

  private static Tensor zeros(Weight weight) {
    long bytes = weight.type().byteSize(weight.shape().elements());
    return new Tensor(weight.type(), weight.shape(), Arena.ofAuto().allocate(bytes, 64));
  }

  @Test
  void progressIsTheShareOfBytesThatLieAnew() {
    List<Double> shares = new ArrayList<>();
    DeviceOptions options = DeviceOptions.DEFAULT.withProgress((_, share) -> shares.add(share));
    StepLimits limits = new StepLimits(1, 1, 1);
    try (Device device = new CpuBackend().open(0, options);
        DeviceWeights weights = device.weights(LayingTest::zeros)) {
      device.compile(graph(), weights, limits).close();
      // The table of the embedding stays as it lies.
      assertThat(shares).hasSize(4).startsWith(0.0).endsWith(1.0);
      assertThat(shares.get(1)).isCloseTo(0.5, within(1e-9));
      assertThat(shares.get(2)).isCloseTo(0.9375, within(1e-9));
      shares.clear();
      // All that is to be laid is there already.
      device.compile(graph(), weights, limits).close();
      assertThat(shares).containsExactly(0.0, 1.0);
    }
  }
}
