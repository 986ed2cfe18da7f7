package dev.kancil.backend.opencl;

import org.junit.jupiter.api.Assumptions;

/** Whether there is a device to test on; where there must be one, its absence is a failure. */
final class OpenClDevices {
  private OpenClDevices() {}

  static void require() {
    if (!Platforms.find().devices().isEmpty()) {
      return;
    }
    String message =
        "SKIPPED, no OpenCL device: "
            + Platforms.find().reason()
            + "; scripts/test --install brings PoCL";
    if (Boolean.parseBoolean(System.getenv("CI"))) {
      throw new AssertionError(message);
    }
    System.err.println(message);
    Assumptions.abort(message);
  }
}
