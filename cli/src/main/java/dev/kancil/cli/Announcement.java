package dev.kancil.cli;

import dev.kancil.ModelDescription;
import dev.kancil.backend.DeviceDescription;
import org.jspecify.annotations.Nullable;

/** The line that says what a model runs on. */
final class Announcement {
  private Announcement() {}

  static void print(Console console, ModelDescription model) {
    passedOver(console, model.passedOver());
    console.message(
        "%s on %s; %s of weights, %s for context and work"
            .formatted(
                model.name().isEmpty() ? model.path().getFileName() : model.name(),
                where(model),
                Table.bytes(model.fileBytes()),
                Table.bytes(model.memoryBytes())));
  }

  static void print(Console console, DeviceDescription device, @Nullable String passedOver) {
    passedOver(console, passedOver);
    console.message("on " + device.id() + " (" + device.name() + ")");
  }

  /** Nothing is silently on another device than the best. */
  static void passedOver(Console console, @Nullable String why) {
    if (why != null) {
      console.message("runs on the CPU: " + why);
    }
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
