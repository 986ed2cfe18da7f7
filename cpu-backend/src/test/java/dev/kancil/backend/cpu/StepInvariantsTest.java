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
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.RealModels;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class StepInvariantsTest {
  private static final int ROWS = 40;
  private static final int CHANGES = 20;
  private static final long SOME_BITS = 0x9e3779b97f4a7c15L;

  /** Work with a program that takes {@link #ROWS} rows. */
  @FunctionalInterface
  private interface Use<R> {
    R with(Program program, SequenceState state);
  }

  private static <R> R run(RealModels model, int threads, Use<R> use) {
    try (GgufFile file = GgufFile.open(model.path());
        GgufCheckpoint checkpoint = new GgufCheckpoint(file)) {
      LoadedModel.OfDecoder loaded = Families.load(checkpoint, DataType.F16, DataType.Q8_0);
      try (Device device = new CpuBackend().open(0, new DeviceOptions(threads));
          DeviceWeights weights = device.weights(loaded.weights())) {
        Graph sampled = loaded.graph().sampled("logits");
        Graph both = sampled.withOutputs(List.of(sampled.value("logits")));
        Graph graph = Fusion.fuse(both, device::takes);
        StepLimits limits = new StepLimits(ROWS, 2, ROWS, CHANGES);
        try (SequenceState state = device.createState(graph.state(), 1, 4096);
            Program program = device.compile(graph, weights, limits)) {
          return use.with(program, state);
        }
      }
    }
  }

  private static void step(
      Program program, SequenceState state, Batch batch, int sequence, int position, int rows) {
    batch.clear();
    batch.sequence(sequence, position);
    for (int i = 0; i < rows; i++) {
      batch.token(100 + 7 * (position + i), i == rows - 1);
    }
    // Likeliest, drawn from all, and drawn from what every parameter leaves.
    if (position % 3 > 0) {
      boolean all = position % 3 == 1;
      batch.sample(0.8f, all ? 0 : 40, all ? 1 : 0.9f, all ? 0 : 0.01f, 1.1f, position * SOME_BITS);
      for (int i = 0; i < CHANGES && !all; i++) {
        batch.change(31 * i, true, 0, 0.5f);
      }
    }
    try (Step step = program.enqueue(batch, state)) {
      step.await();
    }
  }

  @ParameterizedTest
  @EnumSource
  void stepsOfAnySizeAllocateNothing(RealModels model) {
    String allocated =
        run(
            model,
            2,
            (program, state) -> {
              Batch batch = new Batch(program.limits());
              int sequence = state.open();
              return Allocation.ofRounds(
                  2,
                  () -> {
                    state.truncate(sequence, 0);
                    int position = 0;
                    for (int rows : new int[] {ROWS, 20, 3, 1, 1, 1, 1}) {
                      step(program, state, batch, sequence, position, rows);
                      position += rows;
                    }
                  });
            });
    assertThat(allocated).isEqualTo("nothing");
  }

  @ParameterizedTest
  @EnumSource
  void theNumberOfThreadsDoesNotChangeASingleBit(RealModels model) {
    float[] one = run(model, 1, StepInvariantsTest::lastLogits);
    for (int threads : new int[] {2, 5}) {
      assertThat(Arrays.equals(run(model, threads, StepInvariantsTest::lastLogits), one)).isTrue();
    }
  }

  private static float[] lastLogits(Program program, SequenceState state) {
    Batch batch = new Batch(program.limits());
    int sequence = state.open();
    step(program, state, batch, sequence, 0, ROWS);
    step(program, state, batch, sequence, ROWS, 3);
    batch.clear();
    batch.sequence(sequence, ROWS + 3);
    batch.token(17, true);
    try (Step step = program.enqueue(batch, state)) {
      return step.output("logits").asSlice(0, 4L * 49_152).toArray(ValueLayout.JAVA_FLOAT);
    }
  }
}
