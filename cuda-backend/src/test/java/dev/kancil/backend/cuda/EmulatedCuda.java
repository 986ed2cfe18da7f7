package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.Nvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import org.junit.jupiter.api.Assumptions;

/** The backend on an emulated device, which runs the PTX that a real one would. */
final class EmulatedCuda {
  private EmulatedCuda() {}

  static Nvrtc compiler() {
    Nvrtc compiler = Nvrtc.find(13).orElse(null);
    Assumptions.assumeTrue(
        compiler != null, "SKIPPED: there is no NVRTC; pip install nvidia-cuda-nvrtc");
    return compiler;
  }

  static CudaBackend backend() {
    EmulatedDevice device = EmulatedDevice.standard().withWorkers(1);
    return new CudaBackend(new EmulatedDriver(device), compiler());
  }
}
