package dev.kancil.testing;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
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
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPInputStream;

/**
 * What a device makes of a matrix's blocks: its rows, as embeddings, and its columns, as products
 * with an identity.
 *
 * @param matrix of {@link #COLUMNS} columns
 */
public record BlocksOnDevice(Device device, Tensor matrix) {
  public static final int COLUMNS = 256;

  /** Random blocks of a type, and some whose scales are the smallest and largest there are. */
  public static Tensor stored(DataType type) throws IOException {
    MemorySegment file;
    try (var in =
        new GZIPInputStream(Files.newInputStream(TestData.path("blocks", type + ".gz")))) {
      file = MemorySegment.ofArray(in.readAllBytes());
    }
    int elements = file.get(ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
    Shape shape = Shape.of(elements / COLUMNS, COLUMNS);
    return new Tensor(type, shape, file.asSlice(Integer.BYTES, type.byteSize(elements)));
  }

  /** All elements, row by row. */
  public float[] rows() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value rows = builder.add("rows", new Embedding(), tokens, weight("matrix", matrix));
    return run(builder, rows, Map.of("matrix", matrix), (int) matrix.shape().rows());
  }

  /** The first columns, one after the other, as one step of so many tokens has them. */
  public float[] columns(int count) {
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
    return run(builder, columns, Map.of("identity", identity, "matrix", matrix), count);
  }

  private static Weight weight(String name, Tensor tensor) {
    return new Weight(name, tensor.type(), tensor.shape());
  }

  /** An output of a step of tokens 0, 1, 2 and so on. */
  private float[] run(GraphBuilder builder, Value output, Map<String, Tensor> tensors, int tokens) {
    Graph graph = builder.build(List.of(output), new StateLayout(List.of()));
    StepLimits limits = new StepLimits(tokens, 1, 1);
    try (DeviceWeights weights =
            device.weights(weight -> Objects.requireNonNull(tensors.get(weight.name())));
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
}
