package dev.kancil.backend.cpu;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The processor, by native kernels or Java's Vector API. This class touches no class of the vector
 * module, so that it loads, and can say what is missing, in a JVM that was started without it.
 */
public final class CpuBackend implements Backend {
  /** Called by the service loader. */
  public CpuBackend() {}

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public int rank() {
    return 10;
  }

  @Override
  public List<DeviceDescription> devices() {
    NativeLibrary.Found found = NativeLibrary.find();
    String reason = null;
    if (found.library() == null) {
      reason = unavailableBecause(VectorModule.isPresent(), System.getProperty("java.vm.info", ""));
    }
    String kernels = reason == null ? CpuDevice.kernels(found) : "none: " + found.missingBecause();
    return List.of(
        new DeviceDescription("cpu", Processor.name(), kernels, Processor.memoryBytes(), reason));
  }

  /**
   * Why this JVM can't run the Vector API at speed, or null if it can.
   *
   * @param vmInfo the virtual machine's own word on how it compiles
   */
  static @Nullable String unavailableBecause(boolean vectorModule, String vmInfo) {
    if (!vectorModule) {
      return "there are neither native kernels nor the Vector API; for this start java with --add-modules "
          + VectorModule.NAME;
    }
    // Vector code that only the interpreter or the first compiler runs is a hundred times slower
    // than scalar code, and allocates at every operation.
    if (vmInfo.contains("interpreted mode")) {
      return "the JVM only interprets, which the Vector API is unusable with; drop -Xint";
    }
    if (vmInfo.contains("emulated-client")) {
      return "the JVM compiles without its optimising compiler, which the Vector API needs; drop"
          + " -XX:TieredStopAtLevel";
    }
    return null;
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    if (index != 0) {
      throw new IllegalArgumentException("there is one CPU device, not " + index);
    }
    DeviceDescription description = devices().getFirst();
    if (!description.isAvailable()) {
      throw new DeviceException("cpu is not available: " + description.unavailableBecause());
    }
    return CpuDevice.open(description, options);
  }
}
