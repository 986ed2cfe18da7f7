package dev.kancil.engine.split;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.InvalidRequestException;
import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.Program;
import dev.kancil.backend.SequenceState;
import dev.kancil.backend.Step;
import dev.kancil.backend.StepLimits;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.graph.op.TapFunction;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.DividedModels;
import dev.kancil.testing.TinyModels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SplitDeviceTest {
  @TempDir Path folder;

  private static Device reference() {
    return new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
  }

  private void with(TinyModels tiny, int layers, BiConsumer<Device, LoadedModel.OfDecoder> body) {
    try (GgufCheckpoint checkpoint = new GgufCheckpoint(GgufFile.open(tiny.write(folder)))) {
      LoadedModel.OfDecoder model = Families.load(checkpoint, DataType.F32, DataType.F32);
      try (Device device = new SplitDevice(reference(), reference(), model.graph(), layers)) {
        body.accept(device, model);
      }
    }
  }

  private static Batch rows(StepLimits limits, int sequence, int from, int count) {
    Batch batch = new Batch(limits);
    batch.sequence(sequence, from);
    for (int i = 0; i < count; i++) {
      batch.token((from + i) % TinyModels.VOCABULARY, i == count - 1);
    }
    return batch;
  }

  @Test
  void aModelDividedAnywhereIsTheSame() {
    DividedModels.requireTheSame(folder, SplitDeviceTest::reference, SplitDeviceTest::reference, 0);
  }

  @Test
  void thereAreTwoPartsOrItIsNotDivided() {
    assertThatThrownBy(() -> with(TinyModels.LLAMA, 0, (_, _) -> {})).hasMessage("0 of 2 layers");
    assertThatThrownBy(() -> with(TinyModels.LLAMA, 2, (_, _) -> {})).hasMessage("2 of 2 layers");
  }

  @Test
  void aTokenIsChosenByTheSecondPartAlone() {
    with(
        TinyModels.LLAMA,
        1,
        (device, model) -> {
          StepLimits limits = new StepLimits(4, 1, 1, 3);
          try (DeviceWeights weights = device.weights(model.weights());
              Program program = device.compile(model.graph().sampled("logits"), weights, limits);
              SequenceState state = device.createState(model.graph().state(), 1, 100)) {
            Batch batch = rows(limits, state.open(), 0, 3);
            batch.change(17, false, 1e9f, 0);
            try (Step step = program.enqueue(batch, state)) {
              assertThat(step.output(Graph.SAMPLED).get(ValueLayout.JAVA_INT, 0)).isEqualTo(17);
            }
            Batch wrong = rows(limits, state.open(), 0, 1);
            wrong.change(TinyModels.VOCABULARY, false, 1, 0);
            assertThatThrownBy(() -> program.enqueue(wrong, state))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageContaining("no logit of token id 96");
          }
        });
  }

  @Test
  void enqueuingReturnsWhileTheFirstPartIsComputed() {
    CountDownLatch goOn = new CountDownLatch(1);
    TapFunction waits =
        (_, _, _) -> {
          try {
            assertThat(goOn.await(30, TimeUnit.SECONDS)).isTrue();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    with(
        TinyModels.LLAMA,
        1,
        (device, model) -> {
          StepLimits limits = new StepLimits(4, 2, 2);
          Graph graph = Taps.call(model.graph(), "hidden.layer.0", waits);
          try (DeviceWeights weights = device.weights(model.weights());
              Program program = device.compile(graph, weights, limits);
              SequenceState state = device.createState(graph.state(), 2, 100)) {
            int sequence = state.open();
            try (Step one = program.enqueue(rows(limits, sequence, 0, 3), state);
                Step two = program.enqueue(rows(limits, sequence, 3, 1), state)) {
              assertThat(state.length(sequence)).isEqualTo(4);
              assertThatThrownBy(() -> program.enqueue(rows(limits, sequence, 4, 1), state))
                  .hasMessage("two steps are open; close one first");
              assertThat(state.length(sequence)).isEqualTo(4);
              goOn.countDown();
              two.await();
              assertThat(logits(one)).isNotEqualTo(logits(two));
            }
          }
        });
  }

  private static float[] logits(Step step) {
    MemorySegment data = step.output("logits");
    return data.asSlice(0, 4L * TinyModels.VOCABULARY).toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void aFailureOfEitherPartIsToldOnceAndTheNextStepIsWhole() {
    for (String broken : new String[] {"hidden.layer.0", "hidden.layer.1"}) {
      boolean[] fails = {true};
      TapFunction tap =
          (_, _, _) -> {
            if (fails[0]) {
              throw new IllegalStateException("the test's");
            }
          };
      with(
          TinyModels.LLAMA,
          1,
          (device, model) -> {
            StepLimits limits = new StepLimits(4, 1, 1);
            Graph graph = Taps.call(model.graph(), broken, tap);
            try (DeviceWeights weights = device.weights(model.weights());
                Program program = device.compile(graph, weights, limits);
                SequenceState state = device.createState(graph.state(), 1, 100)) {
              int sequence = state.open();
              for (int i = 0; i < 3; i++) {
                try (Step step = program.enqueue(rows(limits, sequence, 0, 2), state)) {
                  assertThatThrownBy(() -> step.output("logits"))
                      .isInstanceOf(DeviceException.class)
                      .hasMessage("a step failed: java.lang.IllegalStateException: the test's");
                }
                state.truncate(sequence, 0);
              }
              fails[0] = false;
              try (Step step = program.enqueue(rows(limits, sequence, 0, 2), state)) {
                assertThat(logits(step)).doesNotContain(0, Float.NaN);
              }
            }
          });
    }
  }

  @Test
  void whatOneOfTheStatesRefusesChangesNeither() {
    // The first and last layers of three have a window, and give pages back; the second has none.
    for (int layers : new int[] {1, 2}) {
      with(
          TinyModels.GEMMA3,
          layers,
          (device, model) -> {
            StepLimits limits = new StepLimits(64, 2, 2);
            try (DeviceWeights weights = device.weights(model.weights());
                Program program = device.compile(model.graph(), weights, limits);
                SequenceState state = device.createState(model.graph().state(), 2, 96)) {
              int sequence = state.open();
              program.enqueue(rows(limits, sequence, 0, 64), state).close();
              for (int length : new int[] {20, 65, -1}) {
                assertThatThrownBy(() -> state.truncate(sequence, length))
                    .isInstanceOf(InvalidRequestException.class);
                assertThatThrownBy(() -> state.fork(sequence, length))
                    .isInstanceOf(InvalidRequestException.class);
              }
              int other = state.open();
              assertThat(other).isEqualTo(1);
              program.enqueue(rows(limits, other, 0, 32), state).close();
              assertThatThrownBy(() -> program.enqueue(rows(limits, other, 32, 64), state))
                  .isInstanceOf(InvalidRequestException.class)
                  .hasMessageContaining("the KV cache is full");
              assertThat(state.length(sequence)).isEqualTo(64);
              assertThat(state.length(other)).isEqualTo(32);
              state.release(other);
              assertThat(state.open()).isEqualTo(other);
              state.truncate(sequence, 60);
              assertThat(state.length(sequence)).isEqualTo(60);
              program.enqueue(rows(limits, sequence, 60, 1), state).close();
            }
          });
    }
  }

  @Test
  void whatIsAnotherModelsIsRefused() {
    with(
        TinyModels.LLAMA,
        1,
        (device, _) ->
            with(
                TinyModels.GEMMA3,
                1,
                (_, other) -> {
                  assertThatThrownBy(() -> device.createState(other.graph().state(), 1, 10))
                      .hasMessageContaining("another model");
                  StepLimits limits = new StepLimits(1, 1, 1);
                  try (DeviceWeights weights = device.weights(other.weights());
                      Device stranger = reference()) {
                    assertThatThrownBy(() -> device.compile(other.graph(), weights, limits))
                        .hasMessageContaining("another model");
                    assertThatThrownBy(() -> stranger.compile(other.graph(), weights, limits))
                        .hasMessageContaining("weights of another device");
                  }
                }));
  }
}
