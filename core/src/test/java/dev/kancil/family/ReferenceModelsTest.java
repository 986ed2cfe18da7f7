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
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReferenceModelsTest {
  static Stream<ReferenceModel> models() throws IOException {
    List<ReferenceModel> models = new ArrayList<>();
    Path goldens = TestData.goldens("hf").orElseThrow();
    for (String name :
        List.of(
            java.util.Objects.requireNonNullElse(System.getenv("LOCAL_MODELS"), "llama")
                .split(",", -1))) {
      for (String config : List.of("config.json", "config_v5.json")) {
        if (Files.exists(goldens.resolve(name).resolve(config))) {
          models.add(new ReferenceModel(goldens.resolve(name), config));
        }
      }
    }
    return models.stream();
  }

  @ParameterizedTest
  @MethodSource("models")
  void transformersComputesTheSame(ReferenceModel model) {
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      double worst = model.worst(device, 16);
      System.out.println(model + " " + worst);
      assertThat(worst).isLessThan(1);
    }
  }
}
