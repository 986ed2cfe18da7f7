package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.OpsDocument;
import dev.kancil.conformance.Report;
import dev.kancil.conformance.Result;
import dev.kancil.tensor.DataType;
import dev.kancil.testing.TestData;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class OpenClConformanceTest {
  private static final Path DOCUMENT =
      TestData.path("").toAbsolutePath().resolveSibling("docs").resolve("ops.md");

  /** Cases of one kind lie beside each other, and share kernels. */
  private static final int CASES_AT_ONCE = 16;

  @Test
  void everyOperationConformsToTheReferenceAndTouchesNothingElse() throws Exception {
    Report report = run(UnaryOperator.identity(), Conformance.cases());
    OpsDocument.requireCurrent(DOCUMENT, report);
  }

  @Test
  void kernelsShapedForGraphicsProcessorsConform() throws Exception {
    // Each kind of case comes by; `kancil selftest` runs them all where a graphics processor is.
    run(ClDevice::asGraphics, every(17, _ -> true));
  }

  @Test
  void plainKernelsConform() throws Exception {
    run(ClDevice::asPlain, every(23, _ -> true));
  }

  @Test
  void productsOfIntegersAreOffByTheRoundingOfActivationsAndNoMore() throws Exception {
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
  void productsOfHalvesConformWhereADeviceHasThem() throws Exception {
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

  /**
   * Runs cases on as many devices as there are processors, since most of the time is the driver's
   * compiler's, which uses one for each device.
   */
  private static Report run(UnaryOperator<ClDevice> shaped, List<Case> cases) throws Exception {
    OpenClDevices.require();
    ClDevice device = shaped.apply(Platforms.find().devices().getFirst());
    DeviceDescription description = new OpenClBackend().devices().getFirst();
    System.out.println("conformance of " + description);
    Result[] results = new Result[cases.size()];
    AtomicInteger next = new AtomicInteger();
    Callable<@Nullable Void> worker =
        () -> {
          DeviceOptions options = DeviceOptions.DEFAULT.withGuards();
          try (Device opened = new OpenClDevice(device, description, options);
              Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
            for (int from; (from = next.getAndAdd(CASES_AT_ONCE)) < results.length; ) {
              int to = Math.min(from + CASES_AT_ONCE, results.length);
              List<Case> some = cases.subList(from, to);
              List<Result> ended = Conformance.run(opened, reference, some, _ -> {}).results();
              for (int i = from; i < to; i++) {
                results[i] = ended.get(i - from);
              }
            }
          }
          return null;
        };
    int count = Runtime.getRuntime().availableProcessors();
    try (ExecutorService executor = Executors.newFixedThreadPool(count)) {
      for (Future<@Nullable Void> ended : executor.invokeAll(Collections.nCopies(count, worker))) {
        ended.get();
      }
    }
    Report report = new Report(description, Arrays.asList(results));
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
    return report;
  }
}
