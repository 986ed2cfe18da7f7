package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * NVRTC makes cubins of all kernels that conformance needs, for each generation of devices; they
 * are kept in the user's cache. It takes long and needs no GPU: {@code scripts/check-cuda-kernels}
 * runs it.
 */
class EverySpecialisation {
  /** Which architectures, with commas between them; all if there is none. */
  private static final String WANTED = "kancil.cuda.architectures";

  /** A generation, and the most shared memory of a block, in KiB. */
  record Generation(String architecture, int capability, int sharedKibibytes) {
    @Override
    public String toString() {
      return architecture;
    }
  }

  static Stream<Generation> generations() {
    String wanted = System.getProperty(WANTED, "");
    return Stream.of(
            new Generation("sm_75", 75, 64),
            new Generation("sm_80", 80, 163),
            new Generation("sm_90a", 90, 227),
            new Generation("sm_120", 120, 99))
        .filter(
            one ->
                wanted.isEmpty() || Arrays.asList(wanted.split(",", -1)).contains(one.toString()));
  }

  @ParameterizedTest
  @MethodSource("generations")
  void everyKernelCompiles(Generation generation) {
    Nvrtc compiler = RequiredNvrtc.find();
    AbsentDriver driver =
        new AbsentDriver(generation.capability(), generation.sharedKibibytes() << 10);
    DeviceDescription description =
        new DeviceDescription("cuda", generation.toString(), "", driver.memoryBytes(0), null);
    CudaTraits traits = CudaTraits.of(driver, 0, true);
    List<String> failures = new ArrayList<>();
    long start = System.nanoTime();
    try (Device device =
        new CudaDevice(
            new CudaMemory(driver, 0, description),
            description,
            DeviceOptions.DEFAULT,
            compiler,
            generation.architecture(),
            traits,
            null)) {
      for (Case tested : Conformance.cases()) {
        try {
          Conformance.compile(device, tested);
        } catch (RuntimeException e) {
          failures.add(tested + ": " + e.getMessage());
        }
      }
      // Models' sizes, where they are none of conformance's.
      for (RepresentativeKernels.Kernel kernel :
          RepresentativeKernels.of(generation.architecture())) {
        CudaKernels.compile(compiler, kernel.file(), kernel.source(), generation.architecture());
      }
    }
    System.err.printf(
        "%s: %d cases in %.0f s%n",
        generation, Conformance.cases().size(), (System.nanoTime() - start) / 1e9);
    assertThat(failures).isEmpty();
  }
}
