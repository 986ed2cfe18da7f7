package dev.kancil.family;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.testing.ReferenceAdapters;
import java.nio.file.Path;
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
}
