package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.GenerationOptions;
import dev.kancil.Model;
import dev.kancil.ModelOptions;
import dev.kancil.backend.Backends;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.testing.DividedModels;
import dev.kancil.testing.TinyModels;
import dev.kancil.testing.TinyVocabulary;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenClSplitTest {
  @TempDir Path folder;

  @BeforeEach
  void device() {
    OpenClDevices.require();
  }

  @Test
  void aModelSharedWithTheCpuIsTheSame() {
    for (DeviceOptions options :
        new DeviceOptions[] {DeviceOptions.DEFAULT, DeviceOptions.DEFAULT.withGuards()}) {
      DividedModels.requireTheSame(
          folder,
          () -> Backends.open(Backends.CPU, DeviceOptions.DEFAULT),
          () -> new OpenClBackend().open(0, options),
          1e-4f);
    }
  }

  @Test
  void autoTakesAllLayersWhereMemoryIsTheHosts() {
    Path path = TinyVocabulary.write(TinyModels.LLAMA, folder);
    ModelOptions.Builder options = ModelOptions.builder().device("opencl:0").sessions(1);
    GenerationOptions greedy = GenerationOptions.builder().greedy().maxTokens(5).build();
    try (Model all = Model.open(path, options.gpuLayers(ModelOptions.AUTO_LAYERS).build());
        Model divided = Model.open(path, options.gpuLayers(1).build())) {
      assertThat(all.description().deviceLayers()).isEqualTo(2);
      assertThat(divided.description().deviceLayers()).isEqualTo(1);
      assertThat(divided.complete("hi", greedy).tokens())
          .isEqualTo(all.complete("hi", greedy).tokens());
    }
  }
}
