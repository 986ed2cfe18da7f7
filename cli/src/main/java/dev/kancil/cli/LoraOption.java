package dev.kancil.cli;

import dev.kancil.LoraAdapter;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** Adapters of a model. */
final class LoraOption {
  @Option(
      names = "--lora",
      paramLabel = "PATH[=SCALE]",
      converter = Converter.class,
      description =
          "An adapter that changes weights: a folder of PEFT, or a GGUF file. Can be repeated.")
  List<LoraAdapter> adapters = List.of();

  static final class Converter implements CommandLine.ITypeConverter<LoraAdapter> {
    @Override
    public LoraAdapter convert(String text) {
      int at = text.lastIndexOf('=');
      if (at < 0) {
        return new LoraAdapter(Path.of(text), 1);
      }
      try {
        return new LoraAdapter(
            Path.of(text.substring(0, at)), Float.parseFloat(text.substring(at + 1)));
      } catch (NumberFormatException e) {
        throw new CommandLine.TypeConversionException(
            "the scale behind = is no number: " + text.substring(at + 1));
      }
    }
  }
}
