package dev.kancil.family;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.testing.ReferenceModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints that name norms as TensorFlow does. */
class OldNamesTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"bert", "albert", "roberta_classes"})
  void normsMayBeCalledGammaAndBeta(String name) throws IOException {
    ReferenceModel model = ReferenceModel.unpack(name, folder).getFirst();
    Path file = folder.resolve(name).resolve("model.safetensors");
    String bytes = Files.readString(file, ISO_8859_1);
    // Spaces keep the header's length.
    String old =
        bytes
            .replace("LayerNorm.weight\"", "LayerNorm.gamma\" ")
            .replace("LayerNorm.bias\"", "LayerNorm.beta\"");
    assertThat(old).isNotEqualTo(bytes).hasSameSizeAs(bytes);
    Files.writeString(file, old, ISO_8859_1);
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThat(model.worst(device, 16)).isLessThan(1);
    }
  }
}
