package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;

/** The backend on an emulated device, which runs the PTX that a real one would. */
final class EmulatedCuda {
  private EmulatedCuda() {}

  /**
   * @param workers threads that run blocks
   */
  static CudaBackend backend(int workers) {
    EmulatedDevice device = EmulatedDevice.standard().withWorkers(workers);
    return new CudaBackend(new EmulatedDriver(device), RequiredNvrtc.find());
  }
}
