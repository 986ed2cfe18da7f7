package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
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
    OpenClDevices.require();
    try (Device device = new OpenClBackend().open(0, DeviceOptions.DEFAULT.withGuards());
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      System.out.println("conformance of " + device.description());
      Report report = Conformance.run(device, reference, _ -> {});
      assertThat(report.failures()).isEmpty();
      assertThat(report.refusals()).isEmpty();
      OpsDocument.requireCurrent(DOCUMENT, report);
    }
  }

  @Test
  void kernelsShapedForGraphicsProcessorsConform() {
    // Each kind of case comes by; `kancil selftest` runs them all where a graphics processor is.
    someConform(ClDevice::asGraphics, _ -> true, 17);
  }

  @Test
  void plainKernelsConform() {
    someConform(ClDevice::asPlain, _ -> true, 23);
  }

  @Test
  void productsOfIntegersAreOffByTheRoundingOfActivationsAndNoMore() {
    // A device without instructions for them does the same in more.
    Predicate<Case> isProduct =
        tested ->
            tested.op().contains("MatMul")
                && tested.types().stream().anyMatch(DataType::isQuantized);
    someConform(device -> device.allowing(Arithmetic.INTEGERS), isProduct, 23);
    someConform(device -> device.asGraphics().allowing(Arithmetic.INTEGERS), isProduct, 31);
    someConform(device -> device.asPlain().allowing(Arithmetic.INTEGERS), isProduct, 61);
  }

  @Test
  void productsOfHalvesConformWhereADeviceHasThem() {
    OpenClDevices.require();
    Assumptions.assumeTrue(Platforms.find().devices().getFirst().hasHalves());
    Predicate<Case> isHalf =
        tested -> tested.op().contains("MatMul") && tested.types().contains(DataType.F16);
    someConform(device -> device.allowing(Arithmetic.HALVES), isHalf, 5);
    someConform(device -> device.asGraphics().allowing(Arithmetic.HALVES), isHalf, 7);
  }

  private static void someConform(
      UnaryOperator<ClDevice> shaped, Predicate<Case> chosen, int every) {
    OpenClDevices.require();
    ClDevice device = shaped.apply(Platforms.find().devices().getFirst());
    List<Case> all = Conformance.cases().stream().filter(chosen).toList();
    List<Case> some =
        IntStream.range(0, all.size()).filter(i -> i % every == 0).mapToObj(all::get).toList();
    try (Device opened =
            new OpenClDevice(
                device,
                new OpenClBackend().devices().getFirst(),
                DeviceOptions.DEFAULT.withGuards());
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      Report report = Conformance.run(opened, reference, some, _ -> {});
      assertThat(report.failures()).isEmpty();
      assertThat(report.refusals()).isEmpty();
    }
  }
}
