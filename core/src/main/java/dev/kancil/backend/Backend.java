package dev.kancil.backend;

import java.util.List;
import java.util.Optional;

/**
 * A way to compute: found with {@link java.util.ServiceLoader}. Looking for devices never throws
 * because a driver or a module is missing; the description says why a device can't be used.
 */
public interface Backend {
  /** The name that {@code --device} takes, such as {@code cpu}. */
  String name();

  /** How much {@code auto} prefers its devices, higher first; 0: only when asked for by name. */
  int rank();

  /** What is there, best first; at least one entry, if only to say why there is nothing. */
  List<DeviceDescription> devices();

  /**
   * Opens device {@code index} of {@link #devices}. The caller closes it.
   *
   * @throws dev.kancil.DeviceException if it is not available
   */
  Device open(int index, DeviceOptions options);

  /**
   * What tells the state of device {@code index}; the caller closes it. Empty for devices of a kind
   * that tells nothing.
   *
   * @throws dev.kancil.DeviceException if it can't be asked; the message says why
   */
  default Optional<DeviceSensors> sensors(int index) {
    return Optional.empty();
  }

  /**
   * Compiles kernels for machines that have no compiler.
   *
   * @param architectures as the backend calls them; none: all that it knows
   * @return empty if this backend's kernels are not compiled beforehand
   * @throws dev.kancil.InvalidRequestException if it does not know an architecture
   * @throws dev.kancil.DeviceException if this machine has no compiler, either
   */
  default Optional<KernelCompiler> kernelCompiler(List<String> architectures) {
    return Optional.empty();
  }
}
