package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import org.junit.jupiter.api.Test;

class ReadSpeedTest {
  @Test
  void memoryIsReadFasterThanDisksAndSlowerThanRegisters() {
    try (Device device = new CpuBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThat(device.readBytesPerSecond().orElseThrow()).isBetween(1e8, 1e13);
    }
  }
}
