package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.Model;
import dev.kancil.ModelOptions;
import dev.kancil.cli.pull.BuiltIn;
import dev.kancil.cli.pull.Hub;
import dev.kancil.cli.pull.ModelCache;
import dev.kancil.cli.pull.Pull;
import dev.kancil.cli.pull.Reference;
import dev.kancil.format.synthetic.SyntheticModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Parameters;

/** The model that a command works on. */
final class ModelArgument {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description =
          "A GGUF file, a folder of transformers, a name that `kancil list` shows, or a reference to fetch.")
  String model = "";

  /** Opens the model, which need not have a file: for what needs no text. */
  Model openAny(Console console, ModelOptions options) {
    return SyntheticModel.isNamed(model)
        ? Model.open(SyntheticModel.parse(model).open(), options)
        : Model.open(path(console), options);
  }

  /** The model's file, fetched if need be. */
  Path path(Console console) {
    if (SyntheticModel.isNamed(model)) {
      throw new InvalidRequestException(
          SyntheticModel.parse(model).name()
              + " has random weights and no text; only `kancil bench` takes it, and `kancil synth` writes it");
    }
    return find(model, console);
  }

  /** The file or folder that is called so, fetched if need be. */
  static Path find(String model, Console console) {
    Path path = Path.of(model);
    if (Files.exists(path)) {
      return path;
    }
    ModelCache cache = ModelCache.ofUser(console.environment());
    Optional<Path> cached = cache.find(model);
    if (cached.isPresent()) {
      return cached.get();
    }
    return fetch(model, console)
        .orElseThrow(
            () ->
                new InvalidRequestException(
                    model + ": there is no such file or model; `kancil list` shows names"));
  }

  /** Fetches what a built-in name or reference names; empty if it is neither. */
  static Optional<Path> fetch(String text, Console console) {
    Pull pull =
        new Pull(
            ModelCache.ofUser(console.environment()),
            console.progress(),
            () -> Hub.of(console.environment()));
    return BuiltIn.named(text).map(pull::fetch).or(() -> Reference.parse(text).map(pull::fetch));
  }
}
