package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.RealModels;
import dev.kancil.testing.ReferenceAdapters;
import dev.kancil.testing.ReferenceModel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenClGoldenTest {
  @ParameterizedTest
  @EnumSource
  void logitsEqualThoseOfAnIndependentImplementation(RealModels model) {
    OpenClDevices.require();
    try (Device device = new OpenClBackend().open(0, DeviceOptions.DEFAULT)) {
      RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F32, 64));
      System.out.println(model + " on " + device.description().kernels() + ": " + agreement);
      assertThat(agreement.isExact()).as(agreement.toString()).isTrue();
      assertThat(agreement.topOne()).isEqualTo(1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void oneTokenAtATimeWithAHalfPrecisionCacheChangesLittle(RealModels model) {
    OpenClDevices.require();
    try (Device device = new OpenClBackend().open(0, DeviceOptions.DEFAULT)) {
      RealModels.Agreement agreement = model.compare(model.logits(device, DataType.F16, 1));
      System.out.println(model + " token by token, with an F16 cache: " + agreement);
      assertThat(agreement.meanKl()).isLessThan(1e-4);
      assertThat(agreement.topOne()).isGreaterThanOrEqualTo(0.96);
      assertThat(agreement.perplexityRatio()).isBetween(0.999, 1.001);
    }
  }

  /**
   * Each has what others don't: layer norms, caps, experts, latents, both ways, two stacks,
   * integers, images.
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
        "llama_gptq_actorder",
        "clip",
        "vit_mae"
      })
  void transformersComputesTheSame(String model, @TempDir Path folder) {
    OpenClDevices.require();
    try (Device device = new OpenClBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThat(ReferenceModel.unpack(model, folder).getFirst().worst(device, 16)).isLessThan(1);
    }
  }

  @Test
  void peftComputesTheSameWithAdaptersSideBySide(@TempDir Path folder) {
    OpenClDevices.require();
    ReferenceAdapters adapters = ReferenceAdapters.unpack("llama", folder);
    try (Device device = new OpenClBackend().open(0, DeviceOptions.DEFAULT)) {
      adapters.requireLogits(device, 1);
      adapters.requireLogits(device, 9);
      adapters.requireGreedy(device);
    }
  }
}
