package dev.kancil.cli;

import dev.kancil.GgufConversion;
import dev.kancil.cli.pull.Progress;
import dev.kancil.tensor.DataType;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "convert",
    description = "Writes a model as one GGUF file.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "TYPE is F32, F16, BF16, Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0, each number rounded to the nearest that",
      "its block allows; without it weights stay as they are. Vectors, norms and routers are F32."
    })
final class ConvertCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private final ModelArgument model = new ModelArgument();

  @Parameters(index = "1", paramLabel = "OUT.gguf", description = "The file to write.")
  private Path target = Path.of("");

  @Option(names = "--type", paramLabel = "TYPE", description = "The type of the weights.")
  private @Nullable DataType type;

  @Option(
      names = "--pre",
      paramLabel = "NAME",
      description =
          "What GGUF calls the tokenizer's way of cutting text, where it can't be found out.")
  private @Nullable String preTokenizer;

  ConvertCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    GgufConversion conversion =
        new GgufConversion(Optional.ofNullable(type), Optional.ofNullable(preTokenizer));
    @Nullable Progress[] bar = {null};
    try {
      conversion.convert(
          model.path(console),
          target,
          bytes -> {
            Progress begun = console.progress().begin("Writing " + target, bytes);
            bar[0] = begun;
            return begun::done;
          });
    } finally {
      if (bar[0] != null) {
        bar[0].close();
      }
    }
    console.out().println(target);
    return 0;
  }
}
