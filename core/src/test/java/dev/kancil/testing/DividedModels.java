package dev.kancil.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.backend.Device;
import dev.kancil.engine.ForwardPass;
import dev.kancil.engine.split.SplitDevice;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.tensor.DataType;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/** What holds for any two devices that share a model. */
public final class DividedModels {
  private static final int TOKENS = 50;

  private DividedModels() {}

  /**
   * Divides the tiny models behind each of their layers, and compares all their layers' hidden
   * states and logits with those of the second device alone.
   *
   * @param tolerance of a logit or a hidden state, beside a share of it that is as large
   */
  public static void requireTheSame(
      Path folder, Supplier<Device> first, Supplier<Device> second, float tolerance) {
    for (TinyModels tiny : TinyModels.values()) {
      try (GgufCheckpoint checkpoint = new GgufCheckpoint(GgufFile.open(tiny.write(folder)))) {
        LoadedModel.OfDecoder model = Families.load(checkpoint, DataType.F32, DataType.F32);
        Graph graph = Taps.capture(model.graph(), "hidden.layer.*");
        int[] tokens = new SplittableRandom(1).ints(TOKENS, 0, model.vocabulary()).toArray();
        // Two whole chunks and part of one.
        Map<String, float[][]> expected;
        try (Device whole = second.get()) {
          expected = run(whole, graph, model, tokens);
        }
        for (int layers = 1; layers < graph.layers(); layers++) {
          try (Device divided = new SplitDevice(first.get(), second.get(), model.graph(), layers)) {
            Map<String, float[][]> actual = run(divided, graph, model, tokens);
            assertThat(actual).containsOnlyKeys(expected.keySet());
            String behind = tiny + " behind layer " + layers;
            expected.forEach(
                (name, rows) ->
                    same(Objects.requireNonNull(actual.get(name)), rows, tolerance, behind));
          }
        }
      }
    }
  }

  private static Map<String, float[][]> run(
      Device device, Graph graph, LoadedModel.OfDecoder model, int[] tokens) {
    try (var weights = device.weights(model.weights())) {
      return ForwardPass.run(device, graph, weights, tokens, 20);
    }
  }

  private static void same(float[][] actual, float[][] expected, float tolerance, String where) {
    assertThat(actual.length).isEqualTo(expected.length);
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        float allowed = tolerance * (1 + Math.abs(expected[row][i]));
        assertThat(actual[row][i])
            .as("%s, row %s, column %s", where, row, i)
            .isCloseTo(expected[row][i], within(allowed));
      }
    }
  }
}
