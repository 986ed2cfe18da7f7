package dev.kancil.backend.reference;

import dev.kancil.backend.ActivationRounding;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.host.HostDevice;
import java.util.List;

/**
 * The scalar, plain and complete backend: the oracle that all others are held to, and a reader's
 * way in. It takes no fused operation, so a fused one is what its decomposition computes here.
 */
public final class ReferenceBackend implements Backend {
  /** Called by the service loader. */
  public ReferenceBackend() {}

  @Override
  public String name() {
    return "reference";
  }

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public List<DeviceDescription> devices() {
    return List.of(
        new DeviceDescription(
            "reference",
            "scalar reference",
            "plain Java, slow and exact",
            Runtime.getRuntime().maxMemory(),
            null));
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    if (index != 0) {
      throw new IllegalArgumentException("there is one reference device, not " + index);
    }
    return new HostDevice(
        devices().getFirst(),
        options,
        ReferenceLowering::new,
        _ -> false,
        _ -> ActivationRounding.NONE,
        () -> {});
  }
}
