package dev.kancil.backend.cuda;

import dev.kancil.backend.Batch;
import dev.kancil.backend.Device;
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
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** The likeliest tokens after a prompt, as the device itself chooses them. */
final class GreedyTokens {
  private GreedyTokens() {}

  /**
   * @param prompt ids of one step
   * @param count of tokens
   * @param file of a decoder, whose cache is of halves
   */
  static List<Integer> after(int[] prompt, int count, GgufFile file, Device device) {
    try (GgufCheckpoint checkpoint = new GgufCheckpoint(file)) {
      LoadedModel.OfDecoder loaded = Families.load(checkpoint, DataType.F16, DataType.F16);
      Graph graph = Fusion.fuse(loaded.graph().sampled("logits"), device::takes);
      String output = graph.outputs().getFirst().name();
      StepLimits limits = new StepLimits(prompt.length, 1, 1);
      try (DeviceWeights weights = device.weights(loaded.weights());
          SequenceState state = device.createState(graph.state(), 1, prompt.length + count);
          Program program = device.compile(graph, weights, limits)) {
        int sequence = state.open();
        List<Integer> generated = new ArrayList<>();
        int[] tokens = prompt;
        int position = 0;
        while (generated.size() < count) {
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
