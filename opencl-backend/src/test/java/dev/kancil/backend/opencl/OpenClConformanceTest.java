package dev.kancil.backend.opencl;

import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.OpsDocument;
import dev.kancil.conformance.Report;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class OpenClConformanceTest {
  private static final Path DOCUMENT =
      TestData.path("").toAbsolutePath().resolveSibling("docs").resolve("ops.md");

  @Test
  void everyOperationConformsToTheReferenceAndTouchesNothingElse() throws IOException {
    Report report = ShapedDevices.conform(UnaryOperator.identity(), Conformance.cases());
    OpsDocument.requireCurrent(DOCUMENT, report);
  }
}
