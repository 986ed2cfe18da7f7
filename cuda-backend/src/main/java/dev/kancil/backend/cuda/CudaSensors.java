package dev.kancil.backend.cuda;

import dev.kancil.DeviceException;
import dev.kancil.backend.DeviceSensors;
import dev.kancil.backend.DeviceState;
import dev.kancil.bindings.cuda.Nvml;
import dev.kancil.bindings.cuda.NvmlDevice;
import dev.kancil.bindings.cuda.NvmlDevice.Clock;
import dev.kancil.bindings.cuda.NvmlException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** What NVIDIA's management library tells of a device. */
final class CudaSensors implements DeviceSensors {
  /** Bit 0 says that the device has nothing to do. */
  private static final long IDLE = 1;

  /** Reasons for lower clocks by their bits (nvml.h, "nvmlClocksEventReasons"); 0 is idleness. */
  private static final List<String> REASONS =
      List.of(
          "idle",
          "clocks that somebody has set",
          "power limit",
          "hardware slowdown",
          "clocks of other devices",
          "temperature",
          "temperature (hardware)",
          "power brake",
          "clocks of the display");

  private final Nvml nvml;
  private final NvmlDevice device;
  private final Optional<String> driver;

  private CudaSensors(Nvml nvml, String place) {
    this.nvml = nvml;
    device = nvml.device(place);
    driver = nvml.driverVersion();
  }

  /**
   * Asks for a device.
   *
   * @param library which is closed with the result
   * @param place where the device is plugged in
   * @throws DeviceException if the library is not there, or does not know the device
   */
  static CudaSensors open(Supplier<Nvml> library, String place) {
    try {
      Nvml opened = library.get();
      try {
        return new CudaSensors(opened, place);
      } catch (NvmlException e) {
        opened.close();
        throw e;
      }
    } catch (NvmlException e) {
      throw new DeviceException(String.valueOf(e.getMessage()), e);
    }
  }

  @Override
  public DeviceState read() {
    Optional<NvmlDevice.Memory> memory = device.memory();
    OptionalLong reasons = device.clockReasons();
    return new DeviceState(
        driver,
        memory.map(told -> OptionalLong.of(told.used())).orElse(OptionalLong.empty()),
        memory.map(told -> OptionalLong.of(told.total())).orElse(OptionalLong.empty()),
        device.megahertz(Clock.MULTIPROCESSORS),
        device.megahertz(Clock.MEMORY),
        watts(device.milliwatts()),
        watts(device.limitMilliwatts()),
        device.celsius(),
        reasons.isPresent() ? Optional.of(names(reasons.getAsLong())) : Optional.empty());
  }

  private static OptionalDouble watts(OptionalInt milliwatts) {
    return milliwatts.isPresent()
        ? OptionalDouble.of(milliwatts.getAsInt() / 1e3)
        : OptionalDouble.empty();
  }

  private static List<String> names(long reasons) {
    List<String> names = new ArrayList<>();
    for (long left = reasons & ~IDLE; left != 0; left &= left - 1) {
      int bit = Long.numberOfTrailingZeros(left);
      names.add(bit < REASONS.size() ? REASONS.get(bit) : "reason " + bit);
    }
    return List.copyOf(names);
  }

  @Override
  public void close() {
    nvml.close();
  }
}
