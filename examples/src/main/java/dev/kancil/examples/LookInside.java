package dev.kancil.examples;

import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.tensor.DataType;
import dev.kancil.text.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Map;

/**
 * Prints how long the residual stream's vectors are after each layer, for the last token of a text:
 * {@code LookInside MODEL.gguf TEXT}. Any value of the graph can be captured so.
 */
public final class LookInside {
  private LookInside() {}

  public static void main(String[] arguments) {
    try (GgufFile file = GgufFile.open(Path.of(arguments[0]))) {
      LoadedModel.OfDecoder loaded =
          Families.load(new GgufCheckpoint(file), DataType.F32, DataType.F32);
      Graph graph = Taps.capture(loaded.graph(), "hidden.layer.*");
      int[] ids = Tokenizer.of(file.metadata()).encode(arguments[1], true, true);
      try (Device device = Backends.open(Backends.AUTO, DeviceOptions.DEFAULT);
          DeviceWeights weights = device.weights(loaded.weights())) {
        Map<String, float[][]> values = ForwardPass.run(device, graph, weights, ids, 256);
        values.remove("logits");
        values.forEach(
            (name, rows) -> System.out.printf("%s %.2f%n", name, length(rows[ids.length - 1])));
      }
    }
  }

  private static double length(float[] vector) {
    double squares = 0;
    for (float x : vector) {
      squares += (double) x * x;
    }
    return Math.sqrt(squares);
  }
}
