package dev.kancil.cli;

import dev.kancil.KancilException;
import dev.kancil.ModelFiles;
import dev.kancil.ModelOptions;
import dev.kancil.family.Families;
import dev.kancil.family.LoadedModel;
import dev.kancil.format.Checkpoint;
import dev.kancil.format.gguf.GgufCheckpoint;
import dev.kancil.format.gguf.GgufMetadata;
import dev.kancil.graph.StateLayout;
import dev.kancil.text.tokenizer.Tokenizer;
import dev.kancil.text.tokenizer.TokenizerFiles;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
    try (ModelFiles files = ModelFiles.open(model.path(console))) {
      Map<String, @Nullable Object> facts = facts(files);
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

  private Map<String, @Nullable Object> facts(ModelFiles files) {
    Checkpoint checkpoint = files.checkpoint();
    Map<String, Integer> types = new TreeMap<>();
    for (String name : checkpoint.tensorNames()) {
      types.merge(checkpoint.tensor(name).orElseThrow().type().name(), 1, Integer::sum);
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
            "path", files.path().toString(),
            "name", files.modelName().isEmpty() ? null : files.modelName(),
            "architecture", checkpoint.architecture(),
            "parameters", files.parameters(),
            "file_bytes", files.bytes(),
            "sizes", sizes,
            "types", types);
    addText(facts, files);
    if (checkpoint.tensorNames().isEmpty()) {
      facts.put("runs", false);
      facts.put("reason", "the file holds a vocabulary alone");
    } else {
      addNeeds(facts, checkpoint, files.bytes());
    }
    return facts;
  }

  private static void addText(Map<String, @Nullable Object> facts, ModelFiles files) {
    if (files.checkpoint() instanceof GgufCheckpoint gguf) {
      facts.put("tokenizer", tokenizer(gguf.file().metadata()));
      facts.put(
          "chat_template", gguf.file().metadata().string("tokenizer.chat_template").orElse(null));
      return;
    }
    try {
      TokenizerFiles text = files.text();
      Tokenizer tokenizer = text.tokenizer();
      facts.put(
          "tokenizer",
          Json.object(
              "tokens",
              tokenizer.vocabularySize(),
              "bos_token_id",
              tokenizer.beginningOfSequence().orElse(null),
              "eos_token_id",
              tokenizer.endOfSequence().orElse(null)));
      facts.put("chat_template", text.chatTemplate().orElse(null));
    } catch (KancilException e) {
      facts.put("tokenizer", e.getMessage());
      facts.put("chat_template", null);
    }
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
      Map<String, @Nullable Object> facts, Checkpoint checkpoint, long weightBytes) {
    ModelOptions options = device.options(console).build();
    try {
      LoadedModel loaded =
          Families.open(
              checkpoint,
              options.cacheKeyType(),
              options.cacheValueType(),
              options::contextLengthFor);
      int context = options.contextLengthFor(loaded.contextLength());
      facts.put("runs", true);
      facts.put("with", commands(loaded));
      facts.put(
          "memory",
          Json.object(
              "weights_bytes",
              weightBytes,
              "context",
              context,
              "cache_bytes",
              state(loaded).map(layout -> layout.bytes(context)).orElse(0L)));
    } catch (KancilException e) {
      facts.put("runs", false);
      facts.put("reason", e.getMessage());
    }
  }

  /** What is kept from step to step. */
  private static Optional<StateLayout> state(LoadedModel model) {
    return switch (model) {
      case LoadedModel.OfDecoder decoder -> Optional.of(decoder.graph().state());
      case LoadedModel.OfEncoderDecoder both -> Optional.of(both.decoder().state());
      case LoadedModel.OfEncoder _, LoadedModel.OfEncoders _ -> Optional.empty();
    };
  }

  /** The commands that run such a model. */
  private static String commands(LoadedModel model) {
    return switch (model) {
      case LoadedModel.OfDecoder _ -> "run, chat, embed, forward";
      case LoadedModel.OfEncoderDecoder _ -> "run, forward";
      case LoadedModel.OfEncoder encoder ->
          encoder.givesOneNumber() ? "embed, rerank, forward" : "embed, forward";
      case LoadedModel.OfMaskedAutoencoder _ -> "forward";
      case LoadedModel.OfEncoders _ -> "classify, forward";
    };
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
