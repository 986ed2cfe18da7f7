package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.DeviceException;
import dev.kancil.backend.DeviceState;
import dev.kancil.bindings.cuda.Nvml;
import dev.kancil.bindings.cuda.StandInNvml;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** What a device's sensors tell, from a library that stands for NVIDIA's. */
class CudaSensorsTest {
  // A library that is loaded can't be deleted everywhere.
  @TempDir(cleanup = CleanupMode.NEVER)
  private Path folder;

  private CudaSensors open(String place, String... variants) {
    Path library = StandInNvml.compile(folder, variants);
    return CudaSensors.open(() -> Nvml.open(library), place);
  }

  @Test
  void aDeviceTellsItsState() {
    try (CudaSensors sensors = open(StandInNvml.FIRST)) {
      // At first it has nothing to do, which slows nothing down.
      assertThat(sensors.read().slowedBy()).hasValue(List.of());
      assertThat(sensors.read())
          .isEqualTo(
              new DeviceState(
                  Optional.of("580.65.06"),
                  OptionalLong.of(7_000_000_000L),
                  OptionalLong.of(80_000_000_000L),
                  OptionalInt.of(1980),
                  OptionalInt.of(2619),
                  OptionalDouble.of(512.25),
                  OptionalDouble.of(700),
                  OptionalInt.of(61),
                  Optional.of(List.of("power limit", "reason 12"))));
    }
    try (CudaSensors sensors = open(StandInNvml.FIRST, "OLD")) {
      assertThat(sensors.read().slowedBy())
          .hasValue(List.of("temperature", "temperature (hardware)"));
    }
  }

  @Test
  void whatItDoesNotTellIsEmpty() {
    try (CudaSensors sensors = open(StandInNvml.FIRST, "SILENT")) {
      assertThat(sensors.read())
          .isEqualTo(
              new DeviceState(
                  Optional.of("580.65.06"),
                  OptionalLong.empty(),
                  OptionalLong.empty(),
                  OptionalInt.empty(),
                  OptionalInt.empty(),
                  OptionalDouble.empty(),
                  OptionalDouble.empty(),
                  OptionalInt.empty(),
                  Optional.empty()));
    }
  }

  @Test
  void aLibraryThatCannotBeAskedIsAReason() {
    assertThatThrownBy(() -> open(StandInNvml.FIRST, "MISMATCH"))
        .isInstanceOf(DeviceException.class)
        .hasMessage("NVML can't initialise: Driver/library version mismatch (18)");
    assertThatThrownBy(() -> open("0000:07:00.0"))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("can't find device 0000:07:00.0");
  }

  @Test
  void anEmulatedDeviceTellsNothing() {
    assertThat(EmulatedCuda.backend(1).sensors(0)).isEmpty();
  }
}
