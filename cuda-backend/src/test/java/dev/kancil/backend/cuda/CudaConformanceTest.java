package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.OpsDocument;
import dev.kancil.conformance.Report;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaConformanceTest {
  private static final Path DOCUMENT =
      TestData.path("").toAbsolutePath().resolveSibling("docs").resolve("ops.md");

  /** Runs cases on emulated devices, each thread on one of its own. */
  private static Report run(Supplier<CudaBackend> backend, List<Case> cases) {
    return Conformance.run(
        () -> backend.get().open(0, DeviceOptions.DEFAULT.withGuards()),
        () -> new ReferenceBackend().open(0, DeviceOptions.DEFAULT),
        Runtime.getRuntime().availableProcessors(),
        cases,
        _ -> {});
  }

  @Test
  void everyOperationConformsToTheReferenceAndTouchesNothingElse() throws IOException {
    RequiredNvrtc.find();
    Report report = run(() -> EmulatedCuda.backend(1), Conformance.cases());
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
    OpsDocument.requireCurrent(DOCUMENT, report);
  }

  /** Where four warps multiply together, which products of more than 16 rows do. */
  @Test
  void aDeviceWithWarpgroupsConformsToo() {
    RequiredNvrtc.find();
    List<Case> products =
        Conformance.cases().stream()
            .filter(tested -> tested.op().contains("MatMul") || tested.op().contains("Product"))
            .filter(tested -> tested.shape().matches("(1[7-9]|[2-9][0-9]|[0-9]{3,}) .*"))
            .toList();
    List<Case> some =
        IntStream.range(0, products.size())
            .filter(i -> i % 3 == 0)
            .mapToObj(products::get)
            .toList();
    EmulatedDevice newer = EmulatedDevice.standard().withComputeCapability(90).withWorkers(1);
    Report report =
        run(() -> new CudaBackend(new EmulatedDriver(newer), RequiredNvrtc.find()), some);
    assertThat(some).hasSizeGreaterThan(30);
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
  }

  /** Where four warps multiply slots of experts together, which a property turns on. */
  @Test
  void expertsInWarpgroupsConformToo() {
    Nvrtc compiler = RequiredNvrtc.find();
    List<Case> experts =
        Conformance.cases().stream().filter(tested -> tested.op().matches("Moe.*MatMul")).toList();
    List<Case> some =
        IntStream.range(0, experts.size())
            .filter(i -> i % 7 == 0 || experts.get(i).shape().matches(".*(90\\+61|263) rows"))
            .mapToObj(experts::get)
            .toList();
    EmulatedDevice newer = EmulatedDevice.standard().withComputeCapability(90).withWorkers(1);
    Report report = run(() -> new CudaBackend(new EmulatedDriver(newer), compiler, true), some);
    assertThat(some).hasSizeGreaterThan(60);
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
  }

  /** Where there are no asynchronous copies, and products of bfloats are not of tensor cores. */
  @Test
  void theOldestDeviceConformsToo() {
    RequiredNvrtc.find();
    List<Case> all = Conformance.cases();
    List<Case> some =
        IntStream.range(0, all.size()).filter(i -> i % 19 == 0).mapToObj(all::get).toList();
    EmulatedDevice oldest = EmulatedDevice.standard().withComputeCapability(75).withWorkers(1);
    Report report =
        run(() -> new CudaBackend(new EmulatedDriver(oldest), RequiredNvrtc.find()), some);
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
  }

  /** Rows of which blocks have no room for all columns, or on the oldest devices for few. */
  @ParameterizedTest
  @ValueSource(ints = {75, 86, 90})
  void rowsThatAreTooLongForABlockConform(int capability) {
    RequiredNvrtc.find();
    List<Case> some =
        Conformance.cases().stream()
            .filter(tested -> tested.shape().matches(".*\\b6\\d{4} →.*"))
            .toList();
    EmulatedDevice device =
        EmulatedDevice.standard().withComputeCapability(capability).withWorkers(1);
    Report report =
        run(() -> new CudaBackend(new EmulatedDriver(device), RequiredNvrtc.find()), some);
    assertThat(some).hasSizeGreaterThan(10);
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
  }
}
