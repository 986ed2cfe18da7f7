package dev.kancil.testing;

import static org.assertj.core.api.Assertions.assertThat;

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
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.op.Fused;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** That the check notices what it is for. */
class GoldenCheckTest {
  /** A device that takes one weight of the last norm for 1% more than it is. */
  private record Inexact(Device device) implements Device {
    @Override
    public DeviceDescription description() {
      return device.description();
    }

    @Override
    public boolean takes(Fused fused) {
      return device.takes(fused);
    }

    @Override
    public DeviceWeights weights(WeightSource source) {
      return device.weights(
          weight ->
              weight.name().equals("output_norm.weight")
                  ? changed(source.tensor(weight))
                  : source.tensor(weight));
    }

    private static Tensor changed(Tensor tensor) {
      float[] values = Blocks.decode(tensor);
      values[3] *= 1.01f;
      MemorySegment data = MemorySegment.ofArray(new byte[4 * values.length]);
      Blocks.encode(tensor.type(), values, 0, data, 0, values.length);
      return new Tensor(tensor.type(), tensor.shape(), data);
    }

    @Override
    public Program compile(Graph graph, DeviceWeights weights, StepLimits limits) {
      return device.compile(graph, weights, limits);
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

  @Test
  void everyModelOfADeviceThatIsALittleWrongFails() {
    List<String> lines = new ArrayList<>();
    try (Device device = new Inexact(new ReferenceBackend().open(0, DeviceOptions.DEFAULT))) {
      assertThat(GoldenCheck.tiny(device, lines::add)).isEqualTo(lines.size());
    }
    assertThat(lines).isNotEmpty().allMatch(line -> line.startsWith("FAILED "));
  }
}
