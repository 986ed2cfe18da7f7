package dev.kancil.backend.opencl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import dev.kancil.conformance.Case;
import dev.kancil.conformance.Conformance;
import dev.kancil.conformance.Report;
import java.util.List;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** The first device, with kernels of one kind or another. */
final class ShapedDevices {
  private ShapedDevices() {}

  /** Each so-manieth of the cases that are chosen. */
  static List<Case> every(int count, Predicate<Case> chosen) {
    List<Case> all = Conformance.cases().stream().filter(chosen).toList();
    return IntStream.range(0, all.size()).filter(i -> i % count == 0).mapToObj(all::get).toList();
  }

  /** Holds the device to cases, all of which it must pass. */
  static Report conform(UnaryOperator<ClDevice> shaped, List<Case> cases) {
    OpenClDevices.require();
    ClDevice device = shaped.apply(Platforms.find().devices().getFirst());
    DeviceDescription description = new OpenClBackend().devices().getFirst();
    DeviceOptions options = DeviceOptions.DEFAULT.withGuards();
    System.out.println(cases.size() + " cases on " + description);
    try (Device opened = new OpenClDevice(device, description, options);
        Device reference = new ReferenceBackend().open(0, DeviceOptions.DEFAULT)) {
      Report report = Conformance.run(opened, reference, cases, _ -> {});
      assertThat(report.failures()).isEmpty();
      assertThat(report.refusals()).isEmpty();
      return report;
    }
  }
}
