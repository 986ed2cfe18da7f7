package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.graph.Dimension.Symbolic;
import dev.kancil.graph.Graph;
import dev.kancil.graph.GraphBuilder;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.MatMul;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPInputStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What kernels make of every block, with scales of all sizes, is what the definition does: no bit
 * is lost.
 */
class WeightBlocksTest {
  private static final int COLUMNS = 256;
  private static final int FEW = 3;

  /** The largest weight whose scale is a subnormal float, which some devices don't have. */
  private static final Offset<Float> SUBNORMAL = Offset.offset(12 * 0x1p-128f);

  @BeforeEach
  void aDeviceIsThere() {
    OpenClDevices.require();
  }

  @ParameterizedTest
  @EnumSource(
      names = {
        "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4", "Q2_K", "Q3_K", "Q4_K", "Q5_K",
        "Q6_K", "IQ4_XS", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S", "IQ1_M"
      })
  void rowsAndProductsWithAnIdentityAreTheMatrix(DataType type) throws IOException {
    Tensor matrix = blocks(type);
    float[] expected = Blocks.decode(matrix);
    int rows = Math.toIntExact(matrix.shape().rows());
    List<UnaryOperator<ClDevice>> shapes =
        List.of(UnaryOperator.identity(), ClDevice::asGraphics, ClDevice::asPlain);
    for (UnaryOperator<ClDevice> shape : shapes) {
      try (Device device = open(shape)) {
        assertThat(rowsOf(device, matrix)).containsExactly(expected, SUBNORMAL);
        for (int tokens : new int[] {1, FEW, COLUMNS}) {
          float[] columns = columnsOf(device, matrix, tokens);
          for (int i = 0; i < columns.length; i++) {
            assertThat(columns[i])
                .as("of %s tokens: row %s, column %s", tokens, i % rows, i / rows)
                .isCloseTo(expected[i % rows * COLUMNS + i / rows], SUBNORMAL);
          }
        }
      }
    }
  }

  private static Device open(UnaryOperator<ClDevice> shape) {
    return new OpenClDevice(
        shape.apply(Platforms.find().devices().getFirst()),
        new OpenClBackend().devices().getFirst(),
        DeviceOptions.DEFAULT.withGuards());
  }

  /** Random blocks of a type, and some whose scales are the smallest and largest there are. */
  private static Tensor blocks(DataType type) throws IOException {
    MemorySegment file;
    try (var in =
        new GZIPInputStream(Files.newInputStream(TestData.path("blocks", type + ".gz")))) {
      file = MemorySegment.ofArray(in.readAllBytes());
    }
    int elements = file.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    Shape shape = Shape.of(elements / COLUMNS, COLUMNS);
    return new Tensor(type, shape, file.asSlice(Integer.BYTES, type.byteSize(elements)));
  }

  private static float[] rowsOf(Device device, Tensor matrix) {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value rows = builder.add("rows", new Embedding(), tokens, weight("matrix", matrix));
    return run(device, builder, rows, Map.of("matrix", matrix), (int) matrix.shape().rows());
  }

  /** Some columns, one after the other. */
  private static float[] columnsOf(Device device, Tensor matrix, int count) {
    float[] ones = new float[COLUMNS * COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
      ones[i * COLUMNS + i] = 1;
    }
    Tensor identity =
        new Tensor(DataType.F32, Shape.of(COLUMNS, COLUMNS), MemorySegment.ofArray(ones));
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value x = builder.add("x", new Embedding(), tokens, weight("identity", identity));
    Value columns = builder.add("columns", new MatMul(), x, weight("matrix", matrix));
    Map<String, Tensor> weights = Map.of("identity", identity, "matrix", matrix);
    return run(device, builder, columns, weights, count);
  }

  private static Weight weight(String name, Tensor tensor) {
    return new Weight(name, tensor.type(), tensor.shape());
  }

  /** An output of a step of tokens 0, 1, 2 and so on. */
  private static float[] run(
      Device device, GraphBuilder builder, Value output, Map<String, Tensor> tensors, int tokens) {
    Graph graph = builder.build(List.of(output), new StateLayout(List.of()));
    StepLimits limits = new StepLimits(tokens, 1, 1);
    try (DeviceWeights weights = device.weights(weight -> tensor(tensors, weight));
        SequenceState state = device.createState(graph.state(), 1, tokens);
        Program program = device.compile(graph, weights, limits)) {
      Batch batch = new Batch(limits);
      batch.sequence(state.open(), 0);
      for (int token = 0; token < tokens; token++) {
        batch.token(token, token == 0);
      }
      try (Step step = program.enqueue(batch, state)) {
        return step.output(output.name())
            .asSlice(0, tokens * output.type().rowBytes())
            .toArray(ValueLayout.JAVA_FLOAT);
      }
    }
  }

  private static Tensor tensor(Map<String, Tensor> tensors, Weight weight) {
    return Objects.requireNonNull(tensors.get(weight.name()));
  }
}
