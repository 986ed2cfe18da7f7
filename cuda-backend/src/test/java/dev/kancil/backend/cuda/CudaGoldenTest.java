package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.testing.GoldenCheck;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CudaGoldenTest {
  @Test
  void tinyModelsGiveTheLogitsOfTheReference() {
    List<String> lines = new ArrayList<>();
    try (Device device = EmulatedCuda.backend(2).open(0, DeviceOptions.DEFAULT)) {
      assertThat(GoldenCheck.tiny(device, lines::add)).as(lines.toString()).isZero();
    }
    assertThat(lines).hasSizeGreaterThan(6).allMatch(line -> line.startsWith("ok "));
  }
}
