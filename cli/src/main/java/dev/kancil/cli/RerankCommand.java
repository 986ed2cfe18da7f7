package dev.kancil.cli;

import dev.kancil.Reranker;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "rerank",
    description = "Sorts texts by how well they answer a question, the best first.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class RerankCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @Parameters(index = "1", paramLabel = "QUESTION", description = "The question.")
  private String question = "";

  @Parameters(index = "2..*", arity = "0..*", paramLabel = "TEXT", description = "The texts.")
  private List<String> texts = List.of();

  @Mixin private EncoderSettings settings = new EncoderSettings();

  @Option(names = "--json", description = "Print scores in the order of the texts as JSON.")
  private boolean json;

  RerankCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    List<String> all = settings.texts(texts, console);
    try (Reranker reranker = Reranker.open(model.path(console), settings.options(console))) {
      Announcement.print(console, reranker.device(), reranker.passedOver());
      EncoderSettings.warn(
          console, all, text -> reranker.tokens(question, text), reranker.contextLength());
      List<Float> scores = reranker.scores(question, all);
      if (json) {
        Json.print(
            console,
            Json.object(
                "model", model.path(console).toString(),
                "device", reranker.device().id(),
                "scores", scores));
      } else {
        IntStream.range(0, all.size())
            .boxed()
            .sorted(Comparator.comparing(scores::get, Comparator.reverseOrder()))
            .forEach(
                i ->
                    console
                        .out()
                        .println(
                            String.format(Locale.ROOT, "%9.4f  %s", scores.get(i), all.get(i))));
      }
    }
    return 0;
  }
}
