package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.engine.ForwardPass;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.huggingface.HuggingFaceCheckpoint;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.LayoutPair;
import dev.kancil.testing.LayoutPairs;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LayoutsTest {
  /** Rows that are turned in another order are added up in another order. */
  private static final float ROUNDING = 1e-4f;

  @TempDir Path folder;

  private static float[][] logits(Checkpoint checkpoint) {
    int[] tokens = IntStream.range(0, 11).map(i -> (7 + 13 * i) % 64).toArray();
    LoadedModel.OfDecoder model =
        Families.load(checkpoint, DataType.F32, DataType.F32, _ -> tokens.length);
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT);
        DeviceWeights weights = device.weights(model.weights())) {
      return Objects.requireNonNull(
          ForwardPass.run(device, model.graph(), weights, tokens, 4).get("logits"));
    }
  }

  @ParameterizedTest
  @EnumSource
  void aModelIsTheSameInBothLayouts(LayoutPairs kind) {
    LayoutPair pair = new LayoutPair(kind);
    Path file = folder.resolve("model.gguf");
    pair.writeFolder(folder);
    pair.writeGguf(file);
    float[][] ofFolder;
    float[][] ofFile;
    try (Checkpoint checkpoint = HuggingFaceCheckpoint.open(folder)) {
      ofFolder = logits(checkpoint);
    }
    try (Checkpoint checkpoint = new GgufCheckpoint(GgufFile.open(file))) {
      ofFile = logits(checkpoint);
    }
    double worst = 0;
    double largest = 0;
    for (int row = 0; row < ofFolder.length; row++) {
      for (int i = 0; i < ofFolder[row].length; i++) {
        worst = Math.max(worst, Math.abs(ofFolder[row][i] - ofFile[row][i]));
        largest = Math.max(largest, Math.abs(ofFolder[row][i]));
      }
    }
    assertThat(largest).isGreaterThan(1);
    assertThat(worst).as("largest logit %s", largest).isCloseTo(0, within((double) ROUNDING));
  }
}
