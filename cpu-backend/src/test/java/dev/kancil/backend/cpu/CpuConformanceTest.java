package dev.kancil.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.OpsDocument;
import dev.kancil.conformance.Report;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Runs once for each vector width that the processor has, see the module's pom. */
class CpuConformanceTest {
  private static final Path DOCUMENT =
      TestData.path("").toAbsolutePath().resolveSibling("docs").resolve("ops.md");

  /** What the processor has beside the best, which {@link #DOCUMENT} is of. */
  @Test
  void everyInstructionSetOfNativeKernelsConformsToTheReference() {
    assumeTrue(
        System.getProperty(NativeLibrary.PROPERTY) == null, "another run tests native kernels");
    List<NativeLibrary> libraries = NativeProductsTest.libraries();
    for (NativeLibrary library : libraries.subList(0, libraries.size() - 1)) {
      NativeProductsTest.with(
          library.set().suffix(),
          () -> {
            try (Device device = new CpuBackend().open(0, new DeviceOptions(3).withGuards());
                Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
              System.out.println("conformance of " + device.description().kernels());
              assertThat(Conformance.run(device, reference, _ -> {}).failures()).isEmpty();
            }
            return library;
          });
    }
  }

  @Test
  void everyOperationConformsToTheReferenceAndTouchesNothingElse() throws IOException {
    DeviceOptions options = new DeviceOptions(3).withGuards();
    try (Device device = new CpuBackend().open(0, options);
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      System.out.println("conformance of " + device.description().kernels());
      Report report = Conformance.run(device, reference, _ -> {});
      assertThat(report.failures()).isEmpty();
      assertThat(report.refusals()).isEmpty();
      OpsDocument.requireCurrent(DOCUMENT, report);
    }
  }
}
