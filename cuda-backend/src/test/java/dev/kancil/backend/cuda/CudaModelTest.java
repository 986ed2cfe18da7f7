package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.testing.RealModels;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class CudaModelTest {
  private static final int PROMPT = 8;
  private static final int GENERATED = 4;

  @Test
  void aRealModelGeneratesWhatTheReferenceDoes() {
    RealModels model = RealModels.SMOLLM2;
    int[] prompt = Arrays.copyOf(model.golden().ints("input_ids"), PROMPT);
    List<Integer> expected;
    try (Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      expected = greedy(model, reference, prompt);
    }
    try (Device emulated = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      assertThat(greedy(model, emulated, prompt)).isEqualTo(expected);
    }
  }

  private static List<Integer> greedy(RealModels model, Device device, int[] prompt) {
    try (GgufFile file = GgufFile.open(model.path())) {
      return GreedyTokens.after(prompt, GENERATED, file, device);
    }
  }
}
