package dev.kancil.cli;

import dev.kancil.Embedding;
import dev.kancil.TextEncoder;
import dev.kancil.family.Pooling;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "embed",
    description = "Turns texts into vectors, one line of numbers for each.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {"", "With more than one text, a table of their cosines follows on standard error."})
final class EmbedCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @Parameters(index = "1..*", arity = "0..*", paramLabel = "TEXT", description = "The texts.")
  private List<String> texts = List.of();

  @Option(
      names = "--pooling",
      paramLabel = "first|last|mean",
      description = "What stands for a text. Default: what the model says.")
  private @Nullable Pooling pooling;

  @Option(
      names = "--normalize",
      negatable = true,
      description = "Vectors of length 1, or as they are. Default: what the model says.")
  private @Nullable Boolean isNormalized;

  @Mixin private EncoderSettings settings = new EncoderSettings();

  @Option(names = "--json", description = "Print the vectors as JSON.")
  private boolean json;

  EmbedCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    List<String> all = settings.texts(texts, console);
    Embedding.Choice choice =
        new Embedding.Choice(Optional.ofNullable(pooling), Optional.ofNullable(isNormalized));
    try (TextEncoder encoder =
        TextEncoder.open(model.path(console), settings.options(console), choice)) {
      Announcement.print(console, encoder.device(), encoder.passedOver());
      EncoderSettings.warn(console, all, encoder::tokens, encoder.contextLength());
      List<float[]> vectors = encoder.embed(all);
      if (json) {
        Json.print(
            console,
            Json.object(
                "model", model.path(console).toString(),
                "device", encoder.device().id(),
                "pooling", encoder.embedding().pooling().name().toLowerCase(Locale.ROOT),
                "normalized", encoder.embedding().isNormalized(),
                "embeddings", vectors));
      } else {
        vectors.forEach(vector -> console.out().println(line(vector)));
        if (all.size() > 1) {
          cosines(vectors);
        }
      }
    }
    return 0;
  }

  private static String line(float[] vector) {
    StringJoiner line = new StringJoiner(" ");
    for (float value : vector) {
      line.add(Float.toString(value));
    }
    return line.toString();
  }

  private void cosines(List<float[]> vectors) {
    for (int i = 0; i < vectors.size(); i++) {
      StringBuilder row = new StringBuilder("%4d".formatted(i + 1));
      for (float[] other : vectors) {
        row.append(String.format(Locale.ROOT, " %6.3f", cosine(vectors.get(i), other)));
      }
      console.message(row.toString());
    }
  }

  private static double cosine(float[] a, float[] b) {
    double dot = 0;
    double ofA = 0;
    double ofB = 0;
    for (int i = 0; i < a.length; i++) {
      dot += (double) a[i] * b[i];
      ofA += (double) a[i] * a[i];
      ofB += (double) b[i] * b[i];
    }
    return ofA == 0 || ofB == 0 ? 0 : dot / Math.sqrt(ofA * ofB);
  }
}
