package dev.kancil.cli;

import dev.kancil.InvalidRequestException;
import dev.kancil.ModelFiles;
import dev.kancil.backend.Backends;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.DeviceWeights;
import dev.kancil.engine.ForwardPass;
import dev.kancil.family.Families;
import dev.kancil.format.safetensors.SafetensorsWriter;
import dev.kancil.graph.Graph;
import dev.kancil.graph.Taps;
import dev.kancil.tensor.DataType;
import java.nio.file.Path;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "forward",
    description = "Runs one pass and writes what it computes to a safetensors file.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "The file holds the logits at all positions and what --capture names, as",
      "float32 arrays of shape [1, tokens, columns]."
    })
final class ForwardCommand implements Callable<Integer> {
  private static final int CHUNK = 256;

  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();

  @ArgGroup(multiplicity = "1")
  private Input input = new Input();

  @Option(
      names = "--capture",
      paramLabel = "PATTERN",
      description = "Values to write, too, such as hidden.layer.3 or 'hidden.*'. Can be repeated.")
  private List<String> captures = List.of();

  @Option(names = "--output", required = true, paramLabel = "FILE", description = "The file.")
  private Path output = Path.of("");

  @Option(names = "--device", paramLabel = "ID", description = "As in `kancil run`.")
  private String device = Backends.AUTO;

  @Option(names = "--threads", paramLabel = "N", description = "As in `kancil run`.")
  private int threads;

  @Option(
      names = {"--cache-type-k", "--cache-type-v"},
      paramLabel = "TYPE",
      converter = DeviceSettings.CacheType.class,
      description = "How keys and values are cached. Default: f32.")
  private DataType cacheType = DataType.F32;

  @Option(names = "--json", description = "Print what was written as JSON.")
  private boolean json;

  /** One of two. */
  static final class Input {
    @Option(names = "--tokens", split = ",", paramLabel = "ID", description = "Token ids.")
    private List<Integer> tokens = List.of();

    @Option(names = "--text", paramLabel = "TEXT", description = "A text, as `tokenize` reads it.")
    private String text = "";
  }

  ForwardCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    try (ModelFiles files = ModelFiles.open(model.path(console))) {
      int[] ids =
          input.text.isEmpty()
              ? input.tokens.stream().mapToInt(id -> id).toArray()
              : files.text().tokenizer().encode(input.text, true, true);
      Families.LoadedGraph loaded =
          Families.load(files.checkpoint(), cacheType, cacheType, _ -> Math.max(1, ids.length));
      if (ids.length > loaded.contextLength()) {
        throw new InvalidRequestException(
            ids.length + " tokens, but the model was made for " + loaded.contextLength());
      }
      try (Device opened =
              Backends.open(device, new DeviceOptions(threads).withProgress(new LoadBar(console)));
          DeviceWeights weights = opened.weights(loaded.weights())) {
        SequencedMap<String, float[][]> results =
            ForwardPass.run(opened, tapped(loaded.graph()), weights, ids, CHUNK);
        SafetensorsWriter.write(output, results);
        report(ids, results);
      }
    }
    return 0;
  }

  private Graph tapped(Graph graph) {
    Graph tapped = graph;
    for (String pattern : captures) {
      try {
        tapped = Taps.capture(tapped, pattern);
      } catch (IllegalArgumentException e) {
        throw new InvalidRequestException("--capture " + pattern + ": " + e.getMessage(), e);
      }
    }
    return tapped;
  }

  private void report(int[] ids, SequencedMap<String, float[][]> results) {
    if (json) {
      Json.print(
          console,
          Json.object(
              "output",
              output.toString(),
              "input_ids",
              ids,
              "arrays",
              List.copyOf(results.keySet())));
    } else {
      console.message(
          "%s: %s for %d tokens"
              .formatted(output, String.join(", ", results.keySet()), ids.length));
    }
  }
}
