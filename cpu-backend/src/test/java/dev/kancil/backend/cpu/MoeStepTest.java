package dev.kancil.backend.cpu;

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
import dev.kancil.graph.op.Activation;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.MatMul;
import dev.kancil.graph.op.MoeGluMatMul;
import dev.kancil.graph.op.MoeMatMul;
import dev.kancil.graph.op.MoeRoute;
import dev.kancil.graph.op.MoeRoute.Scoring;
import dev.kancil.graph.op.MoeSum;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** A feed-forward layer of experts, from router to weighted sum. */
class MoeStepTest {
  private static final int VOCABULARY = 97;
  private static final int WIDTH = 256;
  private static final int HIDDEN = 96;
  private static final int EXPERTS = 13;
  private static final int USED = 4;
  private static final int ROWS = 70;

  private static Graph graph() {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value x =
        builder.add("x", new Embedding(), tokens, weight("table", DataType.F32, VOCABULARY, WIDTH));
    Value logits =
        builder.add("logits", new MatMul(), x, weight("router", DataType.F32, EXPERTS, WIDTH));
    List<Value> routed =
        builder.add(
            List.of("ids", "weights"),
            new MoeRoute(USED, Scoring.SOFTMAX, true, 1),
            List.of(logits));
    Value hidden =
        builder.add(
            "hidden",
            new MoeGluMatMul(Activation.SILU),
            x,
            weight("gate", DataType.F16, EXPERTS, HIDDEN, WIDTH),
            weight("up", DataType.F16, EXPERTS, HIDDEN, WIDTH),
            routed.getFirst());
    Value down =
        builder.add(
            "down",
            new MoeMatMul(),
            hidden,
            weight("down", DataType.Q8_0, EXPERTS, WIDTH, HIDDEN),
            routed.getFirst());
    Value y = builder.add("y", new MoeSum(), down, routed.getLast());
    return builder.build(List.of(y), new StateLayout(List.of()));
  }

  private static Weight weight(String name, DataType type, long... shape) {
    return new Weight(name, type, Shape.of(shape));
  }

  private static Tensor random(Weight weight) {
    SplittableRandom random = new SplittableRandom(weight.name().hashCode());
    int columns = Math.toIntExact(weight.shape().columns());
    long rowBytes = weight.type().byteSize(columns);
    MemorySegment data = Arena.ofAuto().allocate(weight.shape().rows() * rowBytes, 64);
    float[] row = new float[columns];
    for (long i = 0; i < weight.shape().rows(); i++) {
      for (int k = 0; k < columns; k++) {
        // Of a size that keeps sums near 1, as models' weights are.
        row[k] = (float) random.nextGaussian(0, 1 / Math.sqrt(columns));
      }
      Blocks.encode(weight.type(), row, 0, data, i * rowBytes, columns);
    }
    return new Tensor(weight.type(), weight.shape(), data);
  }

  /** Work with a program that takes {@link #ROWS} rows. */
  @FunctionalInterface
  private interface Use<R> {
    R with(Program program, SequenceState state);
  }

  private static <R> R run(int threads, Use<R> use) {
    Graph graph = graph();
    try (Device device = new CpuBackend().open(0, new DeviceOptions(threads));
        DeviceWeights weights = device.weights(MoeStepTest::random);
        SequenceState state = device.createState(graph.state(), 1, 4096);
        Program program = device.compile(graph, weights, new StepLimits(ROWS, 1, 1))) {
      return use.with(program, state);
    }
  }

  private static float[] step(Program program, SequenceState state, int firstToken, int rows) {
    Batch batch = batch(program);
    int sequence = state.open();
    fill(batch, sequence, firstToken, rows);
    try (Step step = program.enqueue(batch, state)) {
      float[] y = step.output("y").asSlice(0, 4L * rows * WIDTH).toArray(ValueLayout.JAVA_FLOAT);
      state.release(sequence);
      return y;
    }
  }

  private static Batch batch(Program program) {
    return new Batch(program.limits());
  }

  private static void fill(Batch batch, int sequence, int firstToken, int rows) {
    batch.clear();
    batch.sequence(sequence, 0);
    for (int i = 0; i < rows; i++) {
      batch.token((firstToken + i) % VOCABULARY, i == 0);
    }
  }

  @Test
  void theNumberOfThreadsDoesNotChangeASingleBit() {
    for (int rows : new int[] {1, 3, 20, ROWS}) {
      float[] one = run(1, (program, state) -> step(program, state, 5, rows));
      for (int threads : new int[] {2, 5}) {
        float[] several = run(threads, (program, state) -> step(program, state, 5, rows));
        assertThat(several).isEqualTo(one);
      }
    }
  }

  @Test
  void whatRunsBesideChangesNothingButTheLastBits() {
    double[] worstAndLargest =
        run(
            2,
            (program, state) -> {
              // Of an expert with more rows, activations are rounded.
              int rows = TileProduct.MANY - 1;
              float[] together = step(program, state, 0, rows);
              double worst = 0;
              double largest = 0;
              for (int row = 0; row < rows; row++) {
                float[] alone = step(program, state, row, 1);
                for (int i = 0; i < WIDTH; i++) {
                  worst = Math.max(worst, Math.abs(together[row * WIDTH + i] - alone[i]));
                  largest = Math.max(largest, Math.abs(alone[i]));
                }
              }
              return new double[] {worst, largest};
            });
    assertThat(worstAndLargest[0]).isLessThan(1e-6 * worstAndLargest[1]);
  }

  @Test
  void stepsOfAnySizeAllocateNothing() {
    String allocated =
        run(
            2,
            (program, state) -> {
              Batch batch = batch(program);
              int sequence = state.open();
              return Allocation.ofRounds(
                  2,
                  () -> {
                    for (int rows : new int[] {ROWS, 20, 3, 1, 1}) {
                      state.truncate(sequence, 0);
                      fill(batch, sequence, rows, rows);
                      try (Step step = program.enqueue(batch, state)) {
                        step.await();
                      }
                    }
                  });
            });
    assertThat(allocated).isEqualTo("nothing");
  }
}
