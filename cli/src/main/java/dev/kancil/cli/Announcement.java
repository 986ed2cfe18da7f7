package dev.kancil.cli;

import dev.kancil.ModelDescription;
import dev.kancil.backend.DeviceDescription;

/** The line that says what a model runs on. */
final class Announcement {
  private Announcement() {}

  static void print(Console console, ModelDescription model) {
    console.message(
        "%s on %s; %s of weights, %s for context and work"
            .formatted(
                model.name().isEmpty() ? model.path().getFileName() : model.name(),
                where(model),
                Table.bytes(model.fileBytes()),
                Table.bytes(model.memoryBytes())));
  }

  private static String where(ModelDescription model) {
    DeviceDescription device = model.device();
    DeviceDescription other = model.otherDevice();
    if (other == null) {
      return "%s: %s, %s".formatted(device.id(), device.name(), device.kernels());
    }
    return "%s and %s: %d of %d layers on %s, %s, the other %d on %s, %s"
        .formatted(
            device.id(),
            other.id(),
            model.deviceLayers(),
            model.layers(),
            device.name(),
            device.kernels(),
            model.layers() - model.deviceLayers(),
            other.name(),
            other.kernels());
  }
}
