package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import org.junit.jupiter.api.Assumptions;

/** The backend on an emulated device, which runs the PTX that a real one would. */
final class EmulatedCuda {
  private EmulatedCuda() {}

  /** NVRTC; skips the test, and says so, where it is not there. */
  static Nvrtc compiler() {
    Nvrtc compiler = Nvrtc.find(13).orElse(null);
    if (compiler == null) {
      String message = "SKIPPED: no NVRTC; run scripts/test, which fetches it";
      System.err.println(message);
      if ("true".equals(System.getenv("CI"))) {
        throw new IllegalStateException(message);
      }
      Assumptions.abort(message);
    }
    return compiler;
  }

  /**
   * @param workers threads that run blocks
   */
  static CudaBackend backend(int workers) {
    EmulatedDevice device = EmulatedDevice.standard().withWorkers(workers);
    return new CudaBackend(new EmulatedDriver(device), compiler());
  }
}
