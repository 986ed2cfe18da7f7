package dev.kancil.cli;

import dev.kancil.LoraAdapter;
import dev.kancil.Model;
import dev.kancil.ModelOptions;
import dev.kancil.Session;
import java.util.List;
import picocli.CommandLine.Option;

/** Adapters that stand beside a model's weights. */
final class BesideOption {
  private static final String NAME = "beside";

  @Option(
      names = "--lora-beside",
      paramLabel = "PATH[=SCALE]",
      converter = LoraOption.Converter.class,
      description =
          "As --lora, but weights stay as they lie, quantised too, and the adapter is computed"
              + " beside them. Can be repeated.")
  private List<LoraAdapter> adapters = List.of();

  /** The options with these adapters. */
  ModelOptions.Builder with(ModelOptions.Builder options) {
    return adapters.isEmpty()
        ? options
        : options.adapter(NAME, adapters.toArray(LoraAdapter[]::new));
  }

  /** A session that has all of them. */
  Session session(Model model) {
    return adapters.isEmpty() ? model.session() : model.session(NAME);
  }
}
