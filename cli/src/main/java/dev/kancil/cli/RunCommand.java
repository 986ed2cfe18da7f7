package dev.kancil.cli;

import dev.kancil.ChatMessage;
import dev.kancil.Chunk;
import dev.kancil.Completion;
import dev.kancil.Generation;
import dev.kancil.GenerationOptions;
import dev.kancil.Model;
import dev.kancil.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "run",
    description = "Answers one prompt.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class RunCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @ArgGroup(multiplicity = "1")
  private Prompt prompt = new Prompt();

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "What the system message says, if the model's template knows one.")
  private String system = "";

  @Option(names = "--raw", description = "Give the prompt as it is, without the chat template.")
  private boolean raw;

  @Mixin private SamplingSettings sampling = new SamplingSettings();
  @Mixin private DeviceSettings device = new DeviceSettings();
  @Mixin private BesideOption beside = new BesideOption();

  @Option(
      names = "--json",
      description = "Print ids, text and timings as JSON instead of the text as it comes.")
  private boolean json;

  /** One of two. */
  static final class Prompt {
    @Option(
        names = {"-p", "--prompt"},
        paramLabel = "TEXT",
        description = "The prompt.")
    private String text = "";

    @Option(
        names = {"-f", "--file"},
        paramLabel = "FILE",
        description = "A file with the prompt; - for standard input.")
    private String file = "";

    String read(Console console) {
      return file.isEmpty() ? text : Texts.read(file, console);
    }
  }

  RunCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    String text = prompt.read(console);
    GenerationOptions options = sampling.options();
    try (Model opened =
            Model.open(
                model.path(console), beside.with(device.options(console)).sessions(1).build());
        Session session = beside.session(opened)) {
      Announcement.print(console, opened.description());
      try (Generation generation = start(session, raw || opened.hasEncoder(), text, options)) {
        if (!json) {
          for (Chunk chunk : generation) {
            console.out().print(chunk.text());
            console.out().flush();
          }
          console.out().println();
        }
        Completion completion = generation.await();
        if (json) {
          Json.print(console, describe(opened, completion));
        } else {
          console.message(summary(completion));
        }
      }
    }
    return 0;
  }

  private Generation start(Session session, boolean isRaw, String text, GenerationOptions options) {
    if (isRaw) {
      return session.generate(text, options);
    }
    List<ChatMessage> conversation = new ArrayList<>();
    if (!system.isEmpty()) {
      conversation.add(ChatMessage.system(system));
    }
    conversation.add(ChatMessage.user(text));
    return session.chat(conversation, options);
  }

  private static Object describe(Model model, Completion completion) {
    Completion.Timings timings = completion.timings();
    double decode = timings.generatedTokensPerSecond();
    return Json.object(
        "model", model.description().path().toString(),
        "device", model.description().device().id(),
        "kernels", model.description().device().kernels(),
        "passed_over", model.description().passedOver(),
        "layers", model.description().layers(),
        "device_layers", model.description().deviceLayers(),
        "prompt_ids", completion.promptTokens(),
        "output_ids", completion.tokens(),
        "text", completion.text(),
        "finish_reason", completion.finishReason().name().toLowerCase(Locale.ROOT),
        "timings",
            Json.object(
                "time_to_first_token_seconds",
                timings.timeToFirstToken().toNanos() / 1e9,
                "total_seconds",
                timings.total().toNanos() / 1e9,
                "prefill_tokens_per_second",
                timings.promptTokensPerSecond(),
                "decode_tokens_per_second",
                Double.isNaN(decode) ? null : decode));
  }

  static String summary(Completion completion) {
    Completion.Timings timings = completion.timings();
    double decode = timings.generatedTokensPerSecond();
    return String.format(
        Locale.ROOT,
        "%d tokens in, %d out; %.2f s to the first%s",
        timings.promptTokens(),
        timings.generatedTokens(),
        timings.timeToFirstToken().toNanos() / 1e9,
        Double.isNaN(decode) ? "" : String.format(Locale.ROOT, ", then %.1f tokens/s", decode));
  }
}
