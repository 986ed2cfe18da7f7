package dev.kancil.cli;

import dev.kancil.DeviceException;
import dev.kancil.backend.Backend;
import dev.kancil.backend.Backends;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.backend.DeviceSensors;
import dev.kancil.backend.DeviceState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "devices",
    description = "Lists the devices, and says why one can't be used.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  private final Console console;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  DevicesCommand(Console console) {
    this.console = console;
  }

  /**
   * A device and its state.
   *
   * @param state null if it tells nothing, or can't be asked
   * @param unknownBecause why it can't be asked
   */
  private record Found(
      DeviceDescription device, @Nullable DeviceState state, @Nullable String unknownBecause) {}

  private static List<Found> find() {
    List<Found> found = new ArrayList<>();
    for (Backend backend : Backends.all()) {
      List<DeviceDescription> devices = backend.devices();
      for (int i = 0; i < devices.size(); i++) {
        found.add(find(backend, i, devices.get(i)));
      }
    }
    return found;
  }

  private static Found find(Backend backend, int index, DeviceDescription device) {
    if (!device.isAvailable()) {
      return new Found(device, null, null);
    }
    try (DeviceSensors sensors = backend.sensors(index).orElse(null)) {
      return new Found(device, sensors == null ? null : sensors.read(), null);
    } catch (DeviceException e) {
      return new Found(device, null, e.getMessage());
    }
  }

  @Override
  public Integer call() {
    List<Found> all = find();
    if (json) {
      List<Map<String, @Nullable Object>> list = new ArrayList<>();
      for (Found found : all) {
        DeviceDescription device = found.device;
        DeviceState state = found.state;
        list.add(
            Json.object(
                "id", device.id(),
                "name", device.name(),
                "kernels", device.kernels(),
                "memory_bytes", device.memoryBytes(),
                "available", device.isAvailable(),
                "unavailable_because", device.unavailableBecause(),
                "state", state == null ? null : StateTexts.json(state),
                "state_unknown_because", found.unknownBecause));
      }
      Json.print(console, Json.object("devices", list));
      return 0;
    }
    Table table = new Table("ID", "NAME", "KERNELS", "MEMORY");
    for (Found found : all) {
      DeviceDescription device = found.device;
      String because = device.unavailableBecause();
      table.row(
          device.id(),
          device.name(),
          because == null ? device.kernels() : "not available: " + because,
          because == null ? Table.bytes(device.memoryBytes()) : "");
    }
    table.print(console.out());
    printStates(all);
    return 0;
  }

  private void printStates(List<Found> all) {
    Table states =
        new Table("ID", "DRIVER", "IN USE", "POWER", "CLOCK", "MEMORY CLOCK", "TEMPERATURE");
    boolean isAnyKnown = false;
    for (Found found : all) {
      DeviceState state = found.state;
      if (state != null) {
        isAnyKnown = true;
        states.row(
            found.device.id(),
            state.driver().orElse("?"),
            StateTexts.memory(state),
            StateTexts.power(state.watts(), state.limitWatts()),
            StateTexts.megahertz(state.megahertz()),
            StateTexts.megahertz(state.memoryMegahertz()),
            StateTexts.celsius(state.celsius()));
      }
    }
    if (isAnyKnown) {
      console.out().println();
      states.print(console.out());
    }
    for (Found found : all) {
      if (found.unknownBecause != null) {
        console
            .out()
            .println(found.device.id() + ": its state is not known: " + found.unknownBecause);
      }
    }
  }
}
