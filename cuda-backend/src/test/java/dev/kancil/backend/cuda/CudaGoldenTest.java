package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.testing.GoldenCheck;
import dev.kancil.testing.ReferenceAdapters;
import dev.kancil.testing.ReferenceModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaGoldenTest {
  @Test
  void tinyModelsGiveTheLogitsOfTheReference() {
    List<String> lines = new ArrayList<>();
    try (Device device = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      assertThat(GoldenCheck.tiny(device, lines::add)).as(lines.toString()).isZero();
    }
    assertThat(lines).hasSizeGreaterThan(6).allMatch(line -> line.startsWith("ok "));
  }

  /**
   * Each has what others don't: layer norms, caps, experts, latents, both ways, two stacks, images.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "gpt2",
        "gemma2",
        "qwen3_moe",
        "phi3",
        "deepseek_v2",
        "modernbert",
        "t5",
        "clip",
        "vit_mae"
      })
  void transformersComputesTheSame(String model, @TempDir Path folder) {
    try (Device device = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      assertThat(ReferenceModel.unpack(model, folder).getFirst().worst(device, 16)).isLessThan(1);
    }
  }

  @Test
  void peftComputesTheSameWithAdaptersSideBySide(@TempDir Path folder) {
    ReferenceAdapters adapters = ReferenceAdapters.unpack("llama", folder);
    try (Device device = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      adapters.requireLogits(device, 9);
      adapters.requireGreedy(device);
    }
  }

  /**
   * Blocks of integers, with columns in another order. Steps have no more rows than those whose
   * products round nothing: the weights of the other models are float32.
   */
  @Test
  void transformersComputesTheSameOfIntegers(@TempDir Path folder) {
    try (Device device = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      ReferenceModel model = ReferenceModel.unpack("llama_gptq_actorder", folder).getFirst();
      assertThat(model.worst(device, 4)).isLessThan(1);
      Pattern matrices = Pattern.compile(".*_proj");
      ReferenceAdapters.merged("llama_gptq_actorder", folder.resolve("own"), matrices)
          .requireLogits(device, 1);
    }
  }
}
