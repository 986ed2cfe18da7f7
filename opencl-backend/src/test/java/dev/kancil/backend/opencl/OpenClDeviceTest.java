package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateGroup;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.MatMul;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OpenClDeviceTest {
  private static final int VOCABULARY = 2_000;
  private static final int WIDTH = 40;

  @BeforeEach
  void aDeviceIsThere() {
    OpenClDevices.require();
  }

  @Test
  void matricesThatSpanBuffersGiveTheSameResults() {
    // A buffer holds 1,250 rows of the matrix, so that the second is not full.
    try (Device whole = open(Long.MAX_VALUE);
        Device divided = open(1_250 * WIDTH * Float.BYTES);
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      for (int rows : new int[] {1, 3, 17}) {
        float[] expected = run(reference, rows);
        assertThat(run(whole, rows)).containsExactly(expected, within());
        assertThat(run(divided, rows)).containsExactly(expected, within());
      }
    }
  }

  @Test
  void everyBufferIsReleased() {
    long before = DeviceBuffer.OPEN.get();
    try (Device device = open(Long.MAX_VALUE)) {
      run(device, 3);
    }
    assertThat(DeviceBuffer.OPEN.get()).isEqualTo(before);
  }

  @Test
  void tooLittleMemoryNamesWhatItWasForAndWhatToLower() {
    try (Device device = open(1 << 20)) {
      StateLayout layout =
          new StateLayout(List.of(new StateGroup(1, 512, 512, DataType.F32, DataType.F32, 0)));
      long before = DeviceBuffer.OPEN.get();
      assertThatThrownBy(() -> device.createState(layout, 1, 4096))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("the KV cache")
          .hasMessageContaining("8.0 MiB")
          .hasMessageContaining("--ctx");
      assertThat(DeviceBuffer.OPEN.get()).isEqualTo(before);
    }
  }

  @Test
  void aKernelThatDoesNotBuildShowsItsLine() {
    String log = "input.cl:3:7: error: use of undeclared identifier 'rowz'\n1 error generated.";
    assertThat(Programs.explain("a\nb\n  c = rowz;\nd", log))
        .isEqualTo("use of undeclared identifier 'rowz', in line 3: c = rowz;");
    assertThat(Programs.explain("a", "internal error")).isEqualTo("internal error");
    assertThat(Programs.explain("a", "")).isEqualTo("the driver does not say why");
  }

  private static org.assertj.core.data.Offset<Float> within() {
    return org.assertj.core.data.Offset.offset(1e-4f);
  }

  private static Device open(long largestAllocation) {
    ClDevice device = Platforms.find().devices().getFirst();
    return new OpenClDevice(
        device, new OpenClBackend().devices().getFirst(), DeviceOptions.DEFAULT, largestAllocation);
  }

  /** Rows of a table times a matrix. */
  private static float[] run(Device device, int rows) {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Weight table = new Weight("table", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Weight matrix = new Weight("matrix", DataType.F32, Shape.of(VOCABULARY, WIDTH));
    Value x = builder.add("x", new Embedding(), tokens, table);
    Value y = builder.add("y", new MatMul(), x, matrix);
    Graph graph = builder.build(List.of(y), new StateLayout(List.of()));
    StepLimits limits = new StepLimits(rows, 1, 1);
    try (DeviceWeights weights = device.weights(weight -> random(weight));
        SequenceState state = device.createState(graph.state(), 1, rows);
        Program program = device.compile(graph, weights, limits)) {
      Batch batch = new Batch(limits);
      batch.sequence(state.open(), 0);
      for (int row = 0; row < rows; row++) {
        batch.token((130 * row + 1_240) % VOCABULARY, row == 0);
      }
      try (Step step = program.enqueue(batch, state)) {
        return step.output("y")
            .asSlice(0, (long) rows * VOCABULARY * Float.BYTES)
            .toArray(ValueLayout.JAVA_FLOAT);
      }
    }
  }

  private static Tensor random(Weight weight) {
    SplittableRandom random = new SplittableRandom(weight.name().hashCode());
    float[] data = new float[Math.toIntExact(weight.shape().elements())];
    for (int i = 0; i < data.length; i++) {
      data[i] = (float) random.nextGaussian();
    }
    return new Tensor(weight.type(), weight.shape(), MemorySegment.ofArray(data));
  }
}
