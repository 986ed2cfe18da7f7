package dev.kancil.backend;

import dev.kancil.DeviceException;
import dev.kancil.InvalidRequestException;
import dev.kancil.UnfitDeviceException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The backends on the class path or module path, and the choice among their devices. */
public final class Backends {
  /** What {@code --device} takes for the best device there is. */
  public static final String AUTO = "auto";

  /** The processor, which runs what another device has no room for. */
  public static final String CPU = "cpu";

  private Backends() {}

  /** All backends, those that {@link #AUTO} prefers first. */
  public static List<Backend> all() {
    List<Backend> backends = new ArrayList<>(loaded());
    backends.sort(Comparator.comparingInt(Backend::rank).reversed().thenComparing(Backend::name));
    return List.copyOf(backends);
  }

  private static List<Backend> loaded() {
    List<Backend> backends = new ArrayList<>();
    // Our own class loader: the context class loader of an embedding application may not see us.
    ServiceLoader.load(Backend.class, Backends.class.getClassLoader()).forEach(backends::add);
    return backends;
  }

  /** All devices, those included that can't be used and say why. */
  public static List<DeviceDescription> devices() {
    return all().stream().flatMap(backend -> backend.devices().stream()).toList();
  }

  /**
   * Opens a device. The caller closes it.
   *
   * @param id {@link #AUTO}, a backend's name for its first device, or {@code name:index}
   * @throws InvalidRequestException if there is no such device
   * @throws DeviceException if it is not available; the message says why
   */
  public static Device open(String id, DeviceOptions options) {
    return id.equals(AUTO) ? openBest(options) : openNamed(id, options);
  }

  private static Device openBest(DeviceOptions options) {
    List<String> reasons = new ArrayList<>();
    for (Backend backend : all()) {
      if (backend.rank() == 0) {
        continue;
      }
      List<DeviceDescription> devices = backend.devices();
      for (int i = 0; i < devices.size(); i++) {
        if (devices.get(i).isAvailable()) {
          return backend.open(i, options);
        }
        reasons.add(devices.get(i).id() + ": " + devices.get(i).unavailableBecause());
      }
    }
    throw new DeviceException(
        "no device is available"
            + (reasons.isEmpty()
                ? ": no backend is on the class path; add kancil-cpu-backend"
                : " (" + String.join("; ", reasons) + ")"));
  }

  /**
   * What tells a device's state; the caller closes it. Empty for devices of a kind that tells
   * nothing.
   *
   * @param id as {@link DeviceDescription#id} has it
   * @throws InvalidRequestException if there is no such device
   * @throws DeviceException if it can't be asked; the message says why
   */
  public static Optional<DeviceSensors> sensors(String id) {
    Named named = named(id);
    return named.backend.sensors(named.index);
  }

  /**
   * What was made on a device.
   *
   * @param passedOver why the device is the CPU, and not the best there is; null if it is
   */
  public record Choice<T>(T made, @Nullable String passedOver) {}

  /**
   * Makes something on a device; or on the CPU, where the device can't run it and nobody has asked
   * for that one: whoever did gets it or nothing.
   *
   * @param mayBeCpu whether the device was {@link #AUTO}'s choice
   * @param opened gives the device that was opened so
   * @param make whose device stays open if it succeeds; the one that is passed over is closed
   * @throws UnfitDeviceException if the device can't run it, and nothing else was allowed or found
   */
  public static <T> Choice<T> choose(
      boolean mayBeCpu, Supplier<Device> opened, DeviceOptions options, Function<Device, T> make) {
    Device device = opened.get();
    try {
      return new Choice<>(make.apply(device), null);
    } catch (UnfitDeviceException e) {
      String unfit = device.description().id();
      if (!mayBeCpu || unfit.equals(CPU) || !hasCpu()) {
        throw e;
      }
      device.close();
      Device cpu = openNamed(CPU, options);
      try {
        return new Choice<>(make.apply(cpu), unfit + " can't run this model: " + e.getMessage());
      } catch (RuntimeException failure) {
        cpu.close();
        throw failure;
      }
    }
  }

  private static boolean hasCpu() {
    return loaded().stream()
        .filter(backend -> backend.name().equals(CPU))
        .flatMap(backend -> backend.devices().stream())
        .anyMatch(DeviceDescription::isAvailable);
  }

  private static Device openNamed(String id, DeviceOptions options) {
    Named named = named(id);
    if (!named.device.isAvailable()) {
      throw new DeviceException(id + " is not available: " + named.device.unavailableBecause());
    }
    return named.backend.open(named.index, options);
  }

  /** A backend's device. */
  private record Named(Backend backend, int index, DeviceDescription device) {}

  private static Named named(String id) {
    String name = id.contains(":") ? id.substring(0, id.indexOf(':')) : id;
    // Others are not even looked for: that can take a while.
    for (Backend backend : loaded()) {
      if (backend.name().equals(name)) {
        List<DeviceDescription> devices = backend.devices();
        for (int i = 0; i < devices.size(); i++) {
          if (devices.get(i).id().equals(id) || (i == 0 && name.equals(id))) {
            return new Named(backend, i, devices.get(i));
          }
        }
      }
    }
    throw unknown(id);
  }

  private static InvalidRequestException unknown(String id) {
    List<String> known = new ArrayList<>(List.of(AUTO));
    devices().forEach(device -> known.add(device.id()));
    return new InvalidRequestException(
        "there is no device " + id + "; there are " + String.join(", ", known));
  }
}
