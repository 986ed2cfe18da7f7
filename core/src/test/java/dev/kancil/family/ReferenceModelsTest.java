package dev.kancil.family;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.testing.ReferenceModel;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every family against Hugging Face transformers. */
class ReferenceModelsTest {
  @TempDir private static Path folder;

  static Stream<ReferenceModel> models() throws IOException {
    List<ReferenceModel> models = new ArrayList<>(ReferenceModel.unpackAll(folder));
    Optional<Path> more = TestData.goldens("hf");
    if (more.isPresent()) {
      try (Stream<Path> found = Files.list(more.get())) {
        for (Path path : found.filter(Files::isDirectory).sorted().toList()) {
          models.addAll(ReferenceModel.ofFolder(path));
        }
      }
    }
    return models.stream();
  }

  @ParameterizedTest
  @MethodSource("models")
  void transformersComputesTheSame(ReferenceModel model) {
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThat(model.worst(device, 16)).isLessThan(1);
    }
  }
}
