package dev.kancil.backend.cuda;

import dev.kancil.bindings.cuda.RequiredNvrtc;
import dev.kancil.cuda.emulator.EmulatedDevice;
import dev.kancil.cuda.emulator.EmulatedDriver;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The backend on an emulated device, which runs the PTX that a real one would. */
final class EmulatedCuda {
  private EmulatedCuda() {}

  /**
   * @param workers threads that run blocks
   */
  static CudaBackend backend(int workers) {
    return new CudaBackend(new EmulatedDriver(device(workers)), RequiredNvrtc.find());
  }

  /**
   * Where kernels are prepared for a device, as {@code scripts/gpu-check} does it, one like that:
   * which kernels there are depends on it.
   */
  private static EmulatedDevice device(int workers) {
    EmulatedDevice device = EmulatedDevice.standard().withWorkers(workers);
    Matcher prepared =
        Pattern.compile(":sm_(\\d+)a?$").matcher(System.getProperty("kancil.cuda.prepare", ""));
    return prepared.find()
        ? device
            .withComputeCapability(Integer.parseInt(prepared.group(1)))
            .withMultiprocessors(Integer.getInteger("kancil.cuda.multiprocessors"))
        : device;
  }
}
