package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.OpsDocument;
import dev.kancil.conformance.Report;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class OpenClConformanceTest {
  private static final Path DOCUMENT =
      TestData.path("").toAbsolutePath().resolveSibling("docs").resolve("ops.md");

  @Test
  void everyOperationConformsToTheReferenceAndTouchesNothingElse() throws IOException {
    Report report = run(UnaryOperator.identity(), Conformance.cases());
    OpsDocument.requireCurrent(DOCUMENT, report);
  }

  @Test
  void kernelsShapedForGraphicsProcessorsConform() {
    // Each kind of case comes by; `kancil selftest` runs them all where a graphics processor is.
    run(ClDevice::asGraphics, every(17, _ -> true));
  }

  @Test
  void plainKernelsConform() {
    run(ClDevice::asPlain, every(23, _ -> true));
  }

  @Test
  void productsOfIntegersAreOffByTheRoundingOfActivationsAndNoMore() {
    // A device without instructions for them does the same in more.
    Predicate<Case> isProduct =
        tested ->
            tested.op().contains("MatMul")
                && tested.types().stream().anyMatch(DataType::isQuantized);
    run(device -> device.allowing(Arithmetic.INTEGERS), every(23, isProduct));
    run(device -> device.asGraphics().allowing(Arithmetic.INTEGERS), every(31, isProduct));
    run(device -> device.asPlain().allowing(Arithmetic.INTEGERS), every(61, isProduct));
  }

  @Test
  void productsOfHalvesConformWhereADeviceHasThem() {
    OpenClDevices.require();
    Assumptions.assumeTrue(
        Platforms.find().devices().getFirst().hasHalves(),
        "SKIPPED: the device has no half precision; scripts/check-opencl-intel runs on one");
    Predicate<Case> isHalf =
        tested -> tested.op().contains("MatMul") && tested.types().contains(DataType.F16);
    run(device -> device.allowing(Arithmetic.HALVES), every(5, isHalf));
    run(device -> device.asGraphics().allowing(Arithmetic.HALVES), every(7, isHalf));
  }

  private static List<Case> every(int count, Predicate<Case> chosen) {
    List<Case> all = Conformance.cases().stream().filter(chosen).toList();
    return IntStream.range(0, all.size()).filter(i -> i % count == 0).mapToObj(all::get).toList();
  }

  private static Report run(UnaryOperator<ClDevice> shaped, List<Case> cases) {
    OpenClDevices.require();
    ClDevice device = shaped.apply(Platforms.find().devices().getFirst());
    DeviceDescription description = new OpenClBackend().devices().getFirst();
    DeviceOptions options = DeviceOptions.DEFAULT.withGuards();
    System.out.println("conformance of " + description);
    Report report =
        Conformance.run(
            () -> new OpenClDevice(device, description, options),
            () -> new ReferenceBackend().open(0, DeviceOptions.DEFAULT),
            Runtime.getRuntime().availableProcessors(),
            cases);
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
    return report;
  }
}
