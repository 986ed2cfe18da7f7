package dev.kancil.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.graph.Node;
import dev.kancil.graph.op.Fused;
import dev.kancil.graph.op.Primitive;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConformanceTest {
  private static final Path DOCUMENT =
      Path.of(System.getProperty("kancil.testdata", "../testdata"), "..", "docs", "ops.md");

  @Test
  void theReferenceConformsToItselfAndItsDocumentIsCurrent() throws IOException {
    try (Device guarded = new ReferenceBackend().open(0, DeviceOptions.DEFAULT.withGuards());
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      Report report = Conformance.run(guarded, reference, _ -> {});
      assertThat(report.failures()).isEmpty();
      assertThat(report.refusals()).isEmpty();
      assertThat(report.results()).allMatch(result -> result.error() == 0);
      OpsDocument.requireCurrent(DOCUMENT, report);
    }
  }

  @Test
  void aDocumentThatIsNotCurrentIsAnError(@TempDir Path folder) {
    Report nothing = new Report(new DeviceDescription("reference", "", "", 0, null), List.of());
    assertThatThrownBy(() -> OpsDocument.requireCurrent(folder.resolve("ops.md"), nothing))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("ops.md is not what reference does");
  }

  @Test
  void caseNamesAreUnique() {
    Set<String> names = new HashSet<>();
    assertThat(Conformance.cases()).allMatch(tested -> names.add(tested.toString()));
  }

  @Test
  void everyOperationHasCases() {
    Set<Class<?>> missing = new HashSet<>();
    missing.addAll(List.of(Primitive.class.getPermittedSubclasses()));
    missing.addAll(List.of(Fused.class.getPermittedSubclasses()));
    for (Case tested : Conformance.cases()) {
      for (Node node : tested.build(false).graph().nodes()) {
        missing.remove(node.op().getClass());
      }
    }
    assertThat(missing).isEmpty();
  }

  @Test
  void aDeviceWithoutGuardZonesIsNotEvenTried() {
    try (Device device = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      assertThatThrownBy(() -> Conformance.run(device, device, _ -> {}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("guard zones");
    }
  }
}
