package dev.kancil.backend.cuda;

import dev.kancil.backend.Backend;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import java.util.List;

/** The emulated device by its name, {@code cuda:emulated}, wherever tests' classes are loaded. */
public final class EmulatedBackend implements Backend {
  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public List<DeviceDescription> devices() {
    return EmulatedCuda.backend(1).devices();
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    return EmulatedCuda.backend(Runtime.getRuntime().availableProcessors()).open(index, options);
  }
}
