package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Backend;
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
import dev.kancil.graph.StateSlot;
import dev.kancil.graph.Value;
import dev.kancil.graph.Weight;
import dev.kancil.graph.op.Attention;
import dev.kancil.graph.op.CacheWrite;
import dev.kancil.graph.op.Embedding;
import dev.kancil.graph.op.Mask;
import dev.kancil.graph.op.Score;
import dev.kancil.tensor.Blocks;
import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention of few rows to contexts that are divided among threads. */
class LongContextTest {
  private static final int VOCABULARY = 997;
  private static final int HEADS = 6;
  private static final int KV_HEADS = 3;
  private static final int WIDTH = 40;
  private static final int ROWS = 300;

  /** What differs from model to model. */
  record Form(String name, DataType type, Mask mask, Score score, boolean hasSinks) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final Form PLAIN =
      new Form("plain", DataType.F16, Mask.CAUSAL, Score.PLAIN, false);

  static Stream<Form> forms() {
    return Stream.of(
        PLAIN,
        new Form("sinks", DataType.BF16, Mask.CAUSAL, Score.PLAIN, true),
        new Form("eight bits", DataType.F8_E4M3, Mask.CAUSAL, Score.PLAIN, false),
        new Form("window", DataType.F16, Mask.window(601), Score.PLAIN, false),
        new Form("capped", DataType.F32, Mask.CAUSAL, Score.softCap(2), true),
        new Form(
            "holes",
            DataType.F16,
            new Mask.Any(List.of(Mask.window(50), new Mask.Linear(0, 1, -299))),
            Score.PLAIN,
            false));
  }

  private static Graph graph(Form form) {
    GraphBuilder builder = new GraphBuilder();
    Value tokens = builder.indexes(Graph.TOKENS, Symbolic.TOKENS);
    Value positions = builder.indexes(Graph.POSITIONS, Symbolic.TOKENS);
    StateSlot slot = new StateSlot(0, 0);
    Value q = rows(builder, "q", tokens, HEADS);
    Value k = rows(builder, "k", tokens, KV_HEADS);
    Value v = rows(builder, "v", tokens, KV_HEADS);
    builder.add(List.of(), new CacheWrite(slot), List.of(k, v));
    Attention plain =
        new Attention(slot, HEADS, KV_HEADS, WIDTH, WIDTH, 0.5f, form.mask, form.score);
    Value y =
        form.hasSinks
            ? builder.add("y", plain.withSinks(), q, positions, weight("sinks", HEADS))
            : builder.add("y", plain, q, positions);
    StateGroup group =
        new StateGroup(1, KV_HEADS * WIDTH, KV_HEADS * WIDTH, form.type, form.type, 0, false);
    return builder.build(List.of(y), new StateLayout(List.of(group)));
  }

  private static Value rows(GraphBuilder builder, String name, Value tokens, int heads) {
    return builder.add(
        name, new Embedding(), tokens, weight(name + ".table", VOCABULARY, heads * WIDTH));
  }

  private static Weight weight(String name, long... shape) {
    return new Weight(name, DataType.F32, Shape.of(shape));
  }

  private static Tensor random(Weight weight) {
    SplittableRandom random = new SplittableRandom(weight.name().hashCode());
    float[] values = new float[Math.toIntExact(weight.shape().elements())];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    MemorySegment data = Arena.ofAuto().allocate(4L * values.length, 64);
    Blocks.encode(weight.type(), values, 0, data, 0, values.length);
    return new Tensor(weight.type(), weight.shape(), data);
  }

  /** Results of the rows of a step that has so many of each sequence, whose contexts are given. */
  private static float[] attend(
      Backend backend, int threads, Form form, int[] contexts, int... rows) {
    Graph graph = graph(form);
    try (Device device = backend.open(0, new DeviceOptions(threads));
        DeviceWeights weights = device.weights(LongContextTest::random);
        SequenceState state = device.createState(graph.state(), contexts.length, 3000);
        Program program =
            device.compile(graph, weights, new StepLimits(ROWS, contexts.length, 1))) {
      Batch batch = new Batch(program.limits());
      int[] sequences = new int[contexts.length];
      for (int i = 0; i < contexts.length; i++) {
        sequences[i] = state.open();
        for (int at = 0; at < contexts[i]; at += ROWS) {
          batch.clear();
          add(batch, sequences[i], at, Math.min(ROWS, contexts[i] - at));
          try (Step step = program.enqueue(batch, state)) {
            step.await();
          }
        }
      }
      batch.clear();
      int count = 0;
      for (int i = 0; i < contexts.length; i++) {
        add(batch, sequences[i], contexts[i], rows[i]);
        count += rows[i];
      }
      try (Step step = program.enqueue(batch, state)) {
        return step.output("y")
            .asSlice(0, 4L * count * HEADS * WIDTH)
            .toArray(ValueLayout.JAVA_FLOAT);
      }
    }
  }

  private static void add(Batch batch, int sequence, int position, int rows) {
    batch.sequence(sequence, position);
    for (int i = 0; i < rows; i++) {
      batch.token((31 * (position + i) + 7) % VOCABULARY, batch.rows() == 0);
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void dividedContextsAreAttendedAsTheReferenceDoes(Form form) {
    for (int context : new int[] {254, 255, 256, 777, 2111}) {
      int[] contexts = {context, 1};
      float[] expected = attend(new ReferenceBackend(), 1, form, contexts, 1, 3);
      for (int threads : new int[] {1, 2, 3}) {
        float[] y = attend(new CpuBackend(), threads, form, contexts, 1, 3);
        assertThat(y)
            .as("%s, %d tokens before, %d threads", form, context, threads)
            .hasSameSizeAs(expected)
            .containsExactly(expected, Offset.offset(1e-5f));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void threadsAndOtherRowsDoNotChangeASingleBit(Form form) {
    int[] contexts = {1337, 300};
    float[] together = attend(new CpuBackend(), 1, form, contexts, 40, 5);
    for (int threads : new int[] {2, 3, 7}) {
      assertThat(attend(new CpuBackend(), threads, form, contexts, 40, 5)).isEqualTo(together);
    }
    for (int threads : new int[] {1, 2, 3}) {
      float[] alone = attend(new CpuBackend(), threads, form, new int[] {1337}, 1);
      assertThat(together).as("%d threads", threads).startsWith(alone);
    }
  }

  @Test
  void stepsOfLongContextsAllocateNothing() {
    Graph graph = graph(PLAIN);
    try (Device device = new CpuBackend().open(0, new DeviceOptions(2));
        DeviceWeights weights = device.weights(LongContextTest::random);
        SequenceState state = device.createState(graph.state(), 1, 3000);
        Program program = device.compile(graph, weights, new StepLimits(ROWS, 1, 1))) {
      Batch batch = new Batch(program.limits());
      int sequence = state.open();
      String allocated =
          Allocation.ofRounds(
              2,
              () -> {
                state.truncate(sequence, 0);
                int position = 0;
                for (int rows : new int[] {ROWS, ROWS, ROWS, 1, 1, 3, 1, 1, 1, 1, 1, 1}) {
                  batch.clear();
                  add(batch, sequence, position, rows);
                  try (Step step = program.enqueue(batch, state)) {
                    step.await();
                  }
                  position += rows;
                }
              });
      assertThat(allocated).isEqualTo("nothing");
    }
  }
}
