package dev.kancil.cli;

import dev.kancil.UnfitDeviceException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.reference.ReferenceBackend;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;

/** While a test wants it, the best device there is, which can't run any model. */
public final class UnfitBackend implements Backend {
  static final String REASON = "it has none of the model's kernels";

  private static volatile boolean isThere;

  /** Makes it appear or vanish. */
  static void appear(boolean now) {
    isThere = now;
  }

  @Override
  public String name() {
    return "unfit";
  }

  @Override
  public int rank() {
    return isThere ? 1000 : 0;
  }

  @Override
  public List<DeviceDescription> devices() {
    return isThere
        ? List.of(new DeviceDescription("unfit:0", "a device", "no kernels", 1 << 30, null))
        : List.of();
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    Device real = new ReferenceBackend().open(0, options);
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (_, method, arguments) -> {
              if (method.getName().equals("weights")) {
                throw new UnfitDeviceException(REASON);
              }
              if (method.getName().equals("description")) {
                return devices().getFirst();
              }
              try {
                return method.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
