package dev.kancil.cli;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceSensors;
import dev.kancil.backend.DeviceState;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The processor under another name, as two devices: the first one tells a state that changes, the
 * second one can't be asked.
 */
public final class SensingBackend implements Backend {
  private static final String NAME = "sensing";

  /** How many sensors are open. */
  static final AtomicInteger OPEN = new AtomicInteger();

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public int rank() {
    return 0;
  }

  @Override
  public List<DeviceDescription> devices() {
    return List.of(description(0), description(1));
  }

  private static DeviceDescription description(int index) {
    return new DeviceDescription(NAME + ":" + index, "stand-in " + index, "none", 1 << 20, null);
  }

  @Override
  public Device open(int index, DeviceOptions options) {
    Device processor = Backends.open(Backends.CPU, options);
    return (Device)
        Proxy.newProxyInstance(
            Device.class.getClassLoader(),
            new Class<?>[] {Device.class},
            (_, method, arguments) -> {
              if (method.getName().equals("description")) {
                return description(index);
              }
              try {
                return method.invoke(processor, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  @Override
  public Optional<DeviceSensors> sensors(int index) {
    if (index == 1) {
      throw new DeviceException("NVML can't initialise: Driver/library version mismatch (18)");
    }
    OPEN.incrementAndGet();
    return Optional.of(new Sensors());
  }

  /** Clocks fall by 15 MHz with each reading, because of power in every second one. */
  private static final class Sensors implements DeviceSensors {
    private int readings;

    @Override
    public DeviceState read() {
      int reading = readings++;
      return new DeviceState(
          Optional.of("580.65.06"),
          OptionalLong.of(7_000_000_000L),
          OptionalLong.of(80_000_000_000L),
          OptionalInt.of(1980 - 15 * reading),
          OptionalInt.of(2619),
          OptionalDouble.of(512.25),
          OptionalDouble.of(700),
          OptionalInt.empty(),
          Optional.of(reading % 2 == 1 ? List.of("power limit") : List.of()));
    }

    @Override
    public void close() {
      OPEN.decrementAndGet();
    }
  }
}
