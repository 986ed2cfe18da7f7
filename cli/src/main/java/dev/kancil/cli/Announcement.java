package dev.kancil.cli;

import dev.kancil.ModelDescription;

/** The line that says what a model runs on. */
final class Announcement {
  private Announcement() {}

  static void print(Console console, ModelDescription model) {
    console.message(
        "%s on %s: %s, %s; %s of weights, %s for context and work"
            .formatted(
                model.name().isEmpty() ? model.path().getFileName() : model.name(),
                model.device().id(),
                model.device().name(),
                model.device().kernels(),
                Table.bytes(model.fileBytes()),
                Table.bytes(model.memoryBytes())));
  }
}
