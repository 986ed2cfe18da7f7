package dev.kancil.cli;

import dev.kancil.backend.Backends;
import dev.kancil.backend.DeviceDescription;
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

  @Override
  public Integer call() {
    List<DeviceDescription> devices = Backends.devices();
    if (json) {
      List<Map<String, @Nullable Object>> list = new ArrayList<>();
      for (DeviceDescription device : devices) {
        list.add(
            Json.object(
                "id", device.id(),
                "name", device.name(),
                "kernels", device.kernels(),
                "memory_bytes", device.memoryBytes(),
                "available", device.isAvailable(),
                "unavailable_because", device.unavailableBecause()));
      }
      Json.print(console, Json.object("devices", list));
      return 0;
    }
    Table table = new Table("ID", "NAME", "KERNELS", "MEMORY");
    for (DeviceDescription device : devices) {
      String because = device.unavailableBecause();
      table.row(
          device.id(),
          device.name(),
          because == null ? device.kernels() : "not available: " + because,
          because == null ? Table.bytes(device.memoryBytes()) : "");
    }
    table.print(console.out());
    return 0;
  }
}
