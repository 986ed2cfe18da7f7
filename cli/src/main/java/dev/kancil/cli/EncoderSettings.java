package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.ModelOptions;
import dev.kancil.backend.Backends;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What commands on encoders of texts have alike: where texts come from, and where they run. */
final class EncoderSettings {
  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "A file with a text on each line; - for standard input.")
  private @Nullable String file;

  @Option(names = "--device", paramLabel = "ID", description = "As in `kancil run`.")
  private String device = Backends.AUTO;

  @Option(names = "--threads", paramLabel = "N", description = "As in `kancil run`.")
  private int threads;

  @Mixin private LoraOption lora = new LoraOption();

  /**
   * These texts, and those of the file.
   *
   * @throws InvalidRequestException if there are none
   */
  List<String> texts(List<String> given, Console console) {
    List<String> all = new ArrayList<>(given);
    if (file != null) {
      Texts.read(file, console).lines().filter(line -> !line.isBlank()).forEach(all::add);
    }
    if (all.isEmpty()) {
      throw new InvalidRequestException("there is no text; give one, or --file FILE");
    }
    return all;
  }

  /** One line that warns of texts that are longer than what is read of them. */
  static void warn(Console console, List<String> texts, ToIntFunction<String> tokens, int most) {
    long count = texts.stream().filter(text -> tokens.applyAsInt(text) > most).count();
    if (count > 0) {
      console.message(
          "%d of %d texts have more than %d tokens; only the beginning is read"
              .formatted(count, texts.size(), most));
    }
  }

  ModelOptions options(Console console) {
    return ModelOptions.builder()
        .device(device)
        .threads(threads)
        .adapters(lora.adapters)
        .progress(new LoadBar(console))
        .build();
  }
}
