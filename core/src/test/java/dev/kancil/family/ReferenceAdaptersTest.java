package dev.kancil.family;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.testing.ReferenceAdapters;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapters beside the base, several in one step, against PEFT. */
class ReferenceAdaptersTest {
  /** Matrices by themselves; such as lie [in, out]; several in one, in groups or not. */
  @ParameterizedTest
  @ValueSource(strings = {"llama", "gpt2", "gpt_neox", "phi3"})
  void peftComputesTheSame(String model, @TempDir Path folder) {
    ReferenceAdapters adapters = ReferenceAdapters.unpack(model, folder);
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      adapters.requireLogits(device, 1);
      adapters.requireLogits(device, 5);
      adapters.requireGreedy(device);
    }
  }

  /**
   * Integers with columns in another order, and other integers; norms behind products; experts
   * beside what has adapters; windows and caps.
   */
  @ParameterizedTest
  @ValueSource(strings = {"llama_gptq_actorder", "llama_awq", "olmo2", "qwen3_moe", "gemma2"})
  void rowsAreWhatModelsWithMergedAdaptersCompute(String model, @TempDir Path folder) {
    Pattern matrices = Pattern.compile(".*(self_attn|mlp)\\.[a-z]+_proj");
    ReferenceAdapters adapters = ReferenceAdapters.merged(model, folder, matrices);
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      adapters.requireLogits(device, 1);
      adapters.requireLogits(device, 5);
      adapters.requireGreedy(device);
    }
  }

  @Test
  void twoDevicesShareAModelWithAdapters(@TempDir Path folder) {
    ReferenceBackend backend = new ReferenceBackend();
    ReferenceAdapters.unpack("llama", folder)
        .requireGreedy(
            backend.open(0, DeviceOptions.DEFAULT), backend.open(0, DeviceOptions.DEFAULT));
  }
}
