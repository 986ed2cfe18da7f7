package dev.kancil.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.WeightSource;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.Node;
import dev.kancil.graph.Operand;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.HostCall;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.tensor.DataType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Products whose activations are rounded are held to what the rounding explains, and no more. */
class RoundingErrorTest {
  private static final List<Case> PRODUCTS =
      Conformance.cases().stream()
          .filter(tested -> tested.op().contains("MatMul") && isQuantized(tested.types()))
          .toList();

  private static boolean isQuantized(List<DataType> types) {
    return types.stream().anyMatch(DataType::isQuantized);
  }

  /**
   * The reference with a rounding before each product with quantised weights.
   *
   * @param stated what the device says
   * @param levels what it does
   */
  private record Rounding(Device device, ActivationRounding stated, int levels) implements Device {
    @Override
    public Program compile(Graph graph, DeviceWeights weights, StepLimits limits) {
      int nextId = 1000;
      GraphBuilder builder = new GraphBuilder(nextId);
      Map<Value, Value> renamed = new HashMap<>();
      for (Node node : graph.nodes()) {
        List<Operand> inputs = new ArrayList<>();
        for (Operand operand : node.inputs()) {
          inputs.add(operand instanceof Value value ? renamed.getOrDefault(value, value) : operand);
        }
        if ((node.op() instanceof MatMul || node.op() instanceof MoeMatMul)
            && node.weight(1).type().isQuantized()) {
          inputs.set(0, builder.add("rounded", new HostCall(this::round), inputs.getFirst()));
        }
        List<String> names = node.outputs().stream().map(Value::name).toList();
        List<Value> outputs = builder.add(names, node.op(), inputs);
        for (int i = 0; i < outputs.size(); i++) {
          renamed.put(node.outputs().get(i), outputs.get(i));
        }
      }
      List<Value> outputs = graph.outputs().stream().map(v -> renamed.getOrDefault(v, v)).toList();
      return device.compile(
          new Graph(graph.inputs(), builder.nodes(), outputs, graph.state()), weights, limits);
    }

    private void round(MemorySegment data, int rows, int columns) {
      for (int row = 0; row < rows; row++) {
        for (int start = 0; start < columns; start += 32) {
          long at = (long) row * columns + start;
          float largest = 0;
          for (int i = 0; i < 32; i++) {
            largest = Math.max(largest, Math.abs(data.getAtIndex(ValueLayout.JAVA_FLOAT, at + i)));
          }
          float step = largest / levels;
          for (int i = 0; i < 32; i++) {
            float value = data.getAtIndex(ValueLayout.JAVA_FLOAT, at + i);
            data.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, step * Math.round(value / step));
          }
        }
      }
    }

    @Override
    public ActivationRounding activationRounding(DataType weightType) {
      return weightType.isQuantized() ? stated : ActivationRounding.NONE;
    }

    @Override
    public DeviceDescription description() {
      return device.description();
    }

    @Override
    public boolean takes(Fused fused) {
      return false;
    }

    @Override
    public boolean isGuarded() {
      return device.isGuarded();
    }

    @Override
    public DeviceWeights weights(WeightSource source) {
      return device.weights(source);
    }

    @Override
    public SequenceState createState(StateLayout layout, int sequences, int tokens) {
      return device.createState(layout, sequences, tokens);
    }

    @Override
    public void close() {
      device.close();
    }
  }

  private static Report run(ActivationRounding stated, int levels) {
    try (Device device =
            new Rounding(
                new ReferenceBackend().open(0, DeviceOptions.DEFAULT.withGuards()),
                stated,
                levels);
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      return Conformance.run(device, reference, PRODUCTS, _ -> {});
    }
  }

  @Test
  void aStatedRoundingIsAllowedEverywhere() {
    assertThat(PRODUCTS).hasSizeGreaterThan(100);
    Report report = run(new ActivationRounding(127, 32), 127);
    assertThat(report.failures()).isEmpty();
    // What is allowed is near what is seen, or the limit would hide mistakes.
    double[] shares =
        report.results().stream()
            .mapToDouble(result -> result.error() / result.limit())
            .sorted()
            .toArray();
    assertThat(shares[shares.length / 2]).isBetween(0.1, 1.0);
  }

  @Test
  void aRoundingThatIsNotStatedFails() {
    assertThat(run(ActivationRounding.NONE, 127).failures().size())
        .isGreaterThan(PRODUCTS.size() * 9 / 10);
  }

  @Test
  void aCoarserRoundingThanStatedFails() {
    assertThat(run(new ActivationRounding(127, 32), 31).failures().size())
        .isGreaterThan(PRODUCTS.size() * 8 / 10);
  }

  @Test
  void aRoundingOfOtherTypesChangesNothing() {
    Case plain =
        Conformance.cases().stream()
            .filter(tested -> tested.op().equals("MatMul") && !isQuantized(tested.types()))
            .findFirst()
            .orElseThrow(() -> new UnsupportedException("no such case"));
    try (Device device =
        new Rounding(
            new ReferenceBackend().open(0, DeviceOptions.DEFAULT.withGuards()),
            new ActivationRounding(127, 32),
            127)) {
      Result result = Conformance.run(device, device, List.of(plain), _ -> {}).results().getFirst();
      assertThat(result.limit()).isEqualTo(plain.limit());
    }
  }
}
