package dev.kancil.backend;

import java.util.List;

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
}
