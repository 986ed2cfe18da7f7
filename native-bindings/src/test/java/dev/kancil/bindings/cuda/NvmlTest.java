package dev.kancil.bindings.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Asks a library of our own, with the functions of NVIDIA's, in the versions that there are. */
class NvmlTest {
  // A library that is loaded can't be deleted everywhere.
  @TempDir(cleanup = CleanupMode.NEVER)
  private Path folder;

  @Test
  void aDeviceTellsItsState() {
    try (Nvml nvml = Nvml.open(StandInNvml.compile(folder))) {
      assertThat(nvml.driverVersion()).hasValue("580.65.06");
      NvmlDevice device = nvml.device(StandInNvml.FIRST);
      assertThat(device.memory())
          .hasValue(
              new NvmlDevice.Memory(
                  80_000_000_000L, 72_500_000_000L, 7_000_000_000L, OptionalLong.of(500_000_000)));
      assertThat(device.megahertz(NvmlDevice.Clock.MULTIPROCESSORS)).hasValue(1980);
      assertThat(device.megahertz(NvmlDevice.Clock.MEMORY)).hasValue(2619);
      assertThat(device.milliwatts()).hasValue(512_250);
      assertThat(device.limitMilliwatts()).hasValue(700_000);
      assertThat(device.celsius()).hasValue(61);
      assertThat(device.clockReasons()).hasValue(1);
      assertThat(device.clockReasons()).hasValue(0x1005);
    }
  }

  @Test
  void devicesAreFoundByTheirPlace() {
    try (Nvml nvml = Nvml.open(StandInNvml.compile(folder))) {
      NvmlDevice second = nvml.device(StandInNvml.SECOND);
      assertThat(second.memory().orElseThrow().used()).isEqualTo(7_000_000_001L);
      // A query that this device does not support, alone.
      assertThat(second.limitMilliwatts()).isEmpty();
      assertThat(second.milliwatts()).hasValue(512_250);
      assertThatThrownBy(() -> nvml.device("0000:07:00.0"))
          .isInstanceOf(NvmlException.class)
          .hasMessage("NVML can't find device 0000:07:00.0: Not Found (6)");
    }
  }

  @Test
  void olderLibrariesAreAskedByOlderNames() {
    try (Nvml nvml = Nvml.open(StandInNvml.compile(folder, "OLD"))) {
      NvmlDevice device = nvml.device(StandInNvml.FIRST);
      assertThat(device.memory())
          .hasValue(
              new NvmlDevice.Memory(
                  80_000_000_000L, 72_500_000_000L, 7_500_000_000L, OptionalLong.empty()));
      assertThat(device.clockReasons()).hasValue(0x60);
      assertThat(device.celsius()).hasValue(61);
    }
  }

  @Test
  void newerLibrariesAreAskedByNewerNames() {
    try (Nvml nvml = Nvml.open(StandInNvml.compile(folder, "NEW"))) {
      assertThat(nvml.device(StandInNvml.FIRST).celsius()).hasValue(62);
    }
  }

  @Test
  void whatADeviceDoesNotSupportIsEmpty() {
    try (Nvml nvml = Nvml.open(StandInNvml.compile(folder, "SILENT"))) {
      NvmlDevice device = nvml.device(StandInNvml.FIRST);
      assertThat(device.memory()).isEmpty();
      for (NvmlDevice.Clock clock : NvmlDevice.Clock.values()) {
        assertThat(device.megahertz(clock)).isEmpty();
      }
      assertThat(device.milliwatts()).isEmpty();
      assertThat(device.limitMilliwatts()).isEmpty();
      assertThat(device.celsius()).isEmpty();
      assertThat(device.clockReasons()).isEmpty();
      assertThat(nvml.device(StandInNvml.SECOND).milliwatts()).hasValue(512_250);
    }
  }

  @Test
  void aLibraryThatCannotBeAskedHasAReason() {
    Path mismatched = StandInNvml.compile(folder, "MISMATCH");
    assertThatThrownBy(() -> Nvml.open(mismatched))
        .isInstanceOf(NvmlException.class)
        .hasMessage("NVML can't initialise: Driver/library version mismatch (18)");
    Path bare = StandInNvml.compile(folder, "BARE");
    assertThatThrownBy(() -> Nvml.open(bare))
        .isInstanceOf(NvmlException.class)
        .hasMessage(bare + " has no function nvmlInit_v2");
    Path missing = folder.resolve("libnone.so");
    assertThatThrownBy(() -> Nvml.open(missing))
        .isInstanceOf(NvmlException.class)
        .hasMessage("there is no " + missing);
  }

  @Test
  // Native access is what is tested.
  @SuppressWarnings("restricted")
  void closingShutsTheLibraryDown() throws Throwable {
    Path library = StandInNvml.compile(folder);
    var opens =
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.libraryLookup(library, Arena.global()).findOrThrow("opens"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT));
    try (Nvml one = Nvml.open(library);
        Nvml other = Nvml.open(library)) {
      assertThat(one.driverVersion()).isEqualTo(other.driverVersion());
      assertThat((int) opens.invokeExact()).isEqualTo(2);
    }
    assertThat((int) opens.invokeExact()).isZero();
  }
}
