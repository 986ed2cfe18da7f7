package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

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
import dev.kancil.graph.fusion.Fusion;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.RealModels;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CudaModelTest {
  private static final int PROMPT = 8;
  private static final int GENERATED = 4;

  @Test
  void aRealModelGeneratesWhatTheReferenceDoes() {
    RealModels model = RealModels.SMOLLM2;
    int[] prompt = Arrays.copyOf(model.golden().ints("input_ids"), PROMPT);
    List<Integer> expected;
    try (Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      expected = greedy(model, reference, prompt);
    }
    try (Device emulated = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      assertThat(greedy(model, emulated, prompt)).isEqualTo(expected);
    }
  }

  /** The likeliest tokens after a prompt, as the device itself chooses them. */
  private static List<Integer> greedy(RealModels model, Device device, int[] prompt) {
    try (GgufFile file = GgufFile.open(model.path());
        GgufCheckpoint checkpoint = new GgufCheckpoint(file)) {
      LoadedModel.OfDecoder loaded = Families.load(checkpoint, DataType.F16, DataType.F16);
      Graph graph = Fusion.fuse(loaded.graph().sampled("logits"), device::takes);
      String output = graph.outputs().getFirst().name();
      StepLimits limits = new StepLimits(PROMPT, 1, 1);
      try (DeviceWeights weights = device.weights(loaded.weights());
          SequenceState state = device.createState(graph.state(), 1, PROMPT + GENERATED);
          Program program = device.compile(graph, weights, limits)) {
        int sequence = state.open();
        List<Integer> generated = new ArrayList<>();
        int[] tokens = prompt;
        int position = 0;
        while (generated.size() < GENERATED) {
          Batch batch = new Batch(limits);
          batch.sequence(sequence, position);
          for (int i = 0; i < tokens.length; i++) {
            batch.token(tokens[i], i == tokens.length - 1);
          }
          position += tokens.length;
          try (Step step = program.enqueue(batch, state)) {
            generated.add(step.output(output).get(ValueLayout.JAVA_INT, 0));
          }
          tokens = new int[] {generated.getLast()};
        }
        return generated;
      }
    }
  }
}
