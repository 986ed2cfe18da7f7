package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.Report;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CudaConformanceTest {
  @Test
  void plainKernelsConformOnAnEmulatedDevice() {
    EmulatedCuda.compiler();
    List<Case> all = Conformance.cases();
    int every = Integer.getInteger("kancil.cuda.every", 1);
    List<Case> some =
        IntStream.range(0, all.size()).filter(i -> i % every == 0).mapToObj(all::get).toList();
    long start = System.nanoTime();
    Report report =
        Conformance.run(
            () -> EmulatedCuda.backend().open(0, DeviceOptions.DEFAULT.withGuards()),
            () -> new ReferenceBackend().open(0, DeviceOptions.DEFAULT),
            Runtime.getRuntime().availableProcessors(),
            some);
    System.out.printf("%d cases in %.1f s%n", some.size(), (System.nanoTime() - start) / 1e9);
    assertThat(report.failures()).isEmpty();
    assertThat(report.refusals()).isEmpty();
  }
}
