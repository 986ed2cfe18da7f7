package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.OpsDocument;
import dev.kancil.conformance.Report;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class CudaConformanceTest {
  private static final Path DOCUMENT =
      TestData.path("").toAbsolutePath().resolveSibling("docs").resolve("ops.md");

  @Test
  void everyOperationConformsToTheReferenceAndTouchesNothingElse() throws IOException {
    RequiredNvrtc.find();
    Report report =
        Conformance.run(
            () -> EmulatedCuda.backend(1).open(0, DeviceOptions.DEFAULT.withGuards()),
            () -> new ReferenceBackend().open(0, DeviceOptions.DEFAULT),
            Runtime.getRuntime().availableProcessors(),
            Conformance.cases());
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
    OpsDocument.requireCurrent(DOCUMENT, report);
  }
}
