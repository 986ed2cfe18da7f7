package dev.kancil.cli;

import dev.kancil.KancilException;
import dev.kancil.ModelOptions;
import dev.kancil.family.Families;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufFile;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.graph.StateLayout;
import dev.kancil.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "show",
    description = "Says what a model is and what it needs.",
    mixinStandardHelpOptions = true)
final class ShowCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private ModelArgument model = new ModelArgument();
  @Mixin private DeviceSettings device = new DeviceSettings();

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  ShowCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    Path path = model.path(console);
    try (GgufFile file = GgufFile.open(path)) {
      Map<String, @Nullable Object> facts = facts(file);
      if (json) {
        Json.print(console, facts);
      } else {
        Table table = new Table("", "");
        facts.forEach((name, value) -> table.row(name, line(value)));
        table.print(console.out());
      }
    }
    return 0;
  }

  private Map<String, @Nullable Object> facts(GgufFile file) {
    GgufMetadata metadata = file.metadata();
    GgufCheckpoint checkpoint = new GgufCheckpoint(file);
    String architecture = checkpoint.architecture();
    Map<String, Integer> types = new TreeMap<>();
    long parameters = 0;
    for (Tensor tensor : file.tensors().values()) {
      types.merge(tensor.type().name(), 1, Integer::sum);
      parameters += tensor.shape().elements();
    }
    Map<String, @Nullable Object> sizes = new LinkedHashMap<>();
    for (String key :
        List.of(
            "block_count",
            "embedding_length",
            "feed_forward_length",
            "attention.head_count",
            "attention.head_count_kv",
            "attention.key_length",
            "attention.sliding_window",
            "context_length")) {
      List<Long> values = checkpoint.integers(key);
      if (!values.isEmpty()) {
        sizes.put(key, values.size() == 1 ? values.getFirst() : values);
      }
    }
    Map<String, @Nullable Object> facts =
        Json.object(
            "path", file.path().toString(),
            "name", metadata.string("general.name").orElse(null),
            "architecture", architecture,
            "parameters", parameters,
            "file_bytes", file.fileBytes(),
            "sizes", sizes,
            "types", types,
            "tokenizer", tokenizer(metadata),
            "chat_template", metadata.string("tokenizer.chat_template").orElse(null));
    if (file.tensors().isEmpty()) {
      facts.put("runs", false);
      facts.put("reason", "the file holds a vocabulary alone");
    } else {
      addNeeds(facts, checkpoint, file.fileBytes());
    }
    return facts;
  }

  private static Map<String, @Nullable Object> tokenizer(GgufMetadata metadata) {
    String prefix = "tokenizer.ggml.";
    return Json.object(
        "model", metadata.string(prefix + "model").orElse(null),
        "pre", metadata.string(prefix + "pre").orElse(null),
        "tokens", metadata.strings(prefix + "tokens").size(),
        "bos_token_id", metadata.integer(prefix + "bos_token_id").orElse(null),
        "eos_token_id", metadata.integer(prefix + "eos_token_id").orElse(null));
  }

  private void addNeeds(
      Map<String, @Nullable Object> facts, GgufCheckpoint checkpoint, long weightBytes) {
    ModelOptions options = device.options(console).build();
    try {
      Families.LoadedGraph loaded =
          Families.load(checkpoint, options.cacheKeyType(), options.cacheValueType());
      StateLayout state = loaded.graph().state();
      int context = options.contextLengthFor(loaded.contextLength());
      facts.put("runs", true);
      facts.put(
          "memory",
          Json.object(
              "weights_bytes", weightBytes,
              "context", context,
              "cache_bytes", state.bytes(context)));
    } catch (KancilException e) {
      facts.put("runs", false);
      facts.put("reason", e.getMessage());
    }
  }

  private static String line(@Nullable Object value) {
    return switch (value) {
      case null -> "-";
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> entry.getKey() + "=" + entry.getValue())
              .collect(Collectors.joining(", "));
      case String text when text.indexOf('\n') >= 0 || text.length() > 100 ->
          text.length() + " characters (--json shows it)";
      default -> value.toString();
    };
  }
}
