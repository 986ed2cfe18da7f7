package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the files beside a tokenizer say: which tokens have a role, what is put around a text, and
 * the chat templates.
 */
final class TokenizerConfig {
  private static final Logger LOG = LoggerFactory.getLogger(TokenizerConfig.class);

  /**
   * Classes that heed what is said of the beginning and the end, though a pipeline says it, too.
   */
  private static final Set<String> HEEDING =
      Set.of(
          "",
          "CodeLlamaTokenizer",
          "CohereTokenizer",
          "GPTNeoXTokenizer",
          "GemmaTokenizer",
          "LlamaTokenizer");

  private final Path folder;
  private final JsonFields config;
  private final JsonFields special;
  private final JsonFields generation;

  private TokenizerConfig(Path folder) {
    this.folder = folder;
    config = fields("tokenizer_config.json");
    special = fields("special_tokens_map.json");
    JsonFields ofGeneration = fields("generation_config.json");
    generation = ofGeneration.has("eos_token_id") ? ofGeneration : fields("config.json");
  }

  static TokenizerConfig read(Path folder) {
    return new TokenizerConfig(folder);
  }

  /** A file's fields, or none: there is no such file. */
  private JsonFields fields(String name) {
    Path file = folder.resolve(name);
    return Files.exists(file)
        ? JsonFields.parse(file.toString(), TokenizerJson.text(file))
        : new JsonFields(file.toString(), "", Map.of());
  }

  JsonFields fields() {
    return config;
  }

  /** The class that reads the files in Hugging Face's transformers, without its ending "Fast". */
  String tokenizerClass() {
    return config.text("tokenizer_class").orElse("").replaceAll("Fast$", "");
  }

  private boolean isOfT5() {
    return tokenizerClass().contains("T5")
        || (tokenizerClass().isEmpty() && config.has("extra_ids"));
  }

  /**
   * The folder's model of SentencePiece, if it has one whose ids are those of its tokens: {@code
   * tokenizer.model}, or what T5 calls {@code spiece.model}, as others do whose tokens have other
   * ids.
   */
  Optional<Path> sentencePiece() {
    Path model = folder.resolve("tokenizer.model");
    Path ofT5 = folder.resolve("spiece.model");
    return Files.exists(model) || !isOfT5()
        ? Optional.of(model).filter(Files::exists)
        : Optional.of(ofT5).filter(Files::exists);
  }

  /** The text of a token with a role, such as {@code bos_token}. */
  Optional<String> token(String name) {
    Optional<String> own = token(config, name);
    return own.isPresent() ? own : token(special, name);
  }

  private static Optional<String> token(JsonFields fields, String name) {
    return fields.value(name) instanceof Map<?, ?>
        ? fields.object(name).flatMap(token -> token.text("content"))
        : fields.text(name);
  }

  /** The tokenizer with the roles that its tokens have by these files. */
  Tokenizer complete(PipelineTokenizer tokenizer) {
    PipelineTokenizer.Parts parts = tokenizer.parts();
    Vocabulary vocabulary = parts.vocabulary();
    OptionalInt beginning = id(vocabulary, "bos_token", parts.roles().beginning());
    OptionalInt end = id(vocabulary, "eos_token", parts.roles().end());
    PostProcessing processing = parts.postProcessing();
    boolean isHeeded =
        HEEDING.contains(tokenizerClass()) || !Files.exists(folder.resolve(TokenizerFiles.JSON));
    if (isHeeded && beginning.isPresent() && config.has("add_bos_token")) {
      processing =
          processing.withBeginning(beginning.getAsInt(), config.bool("add_bos_token", false));
    }
    if (isHeeded && end.isPresent() && config.has("add_eos_token")) {
      processing = processing.withEnd(end.getAsInt(), config.bool("add_eos_token", false));
    }
    Set<Integer> ends = endIds(vocabulary.size());
    return new PipelineTokenizer(
        parts.with(TokenRoles.of(vocabulary, beginning, end, processing, ends), processing));
  }

  /**
   * SentencePiece's files don't say what is put around a text; where the configuration doesn't,
   * either, it is the token of the beginning, but for T5 and its like that of the end.
   */
  PipelineTokenizer around(PipelineTokenizer tokenizer) {
    PipelineTokenizer.Parts parts = SentencePieceAdditions.add(config, tokenizer.parts());
    if (isOfT5()) {
      parts = SentencePieceAdditions.addExtra(config, parts);
    }
    OptionalInt beginning = id(parts.vocabulary(), "bos_token", parts.roles().beginning());
    OptionalInt end = id(parts.vocabulary(), "eos_token", parts.roles().end());
    boolean endAlone = isOfT5() || tokenizerClass().contains("Pegasus");
    PostProcessing processing = PostProcessing.NONE;
    if (!endAlone && beginning.isPresent()) {
      processing = processing.withBeginning(beginning.getAsInt(), true);
    }
    if (endAlone && end.isPresent()) {
      processing = processing.withEnd(end.getAsInt(), true);
    }
    return new PipelineTokenizer(parts.with(parts.roles(), processing));
  }

  private OptionalInt id(Vocabulary vocabulary, String name, OptionalInt orElse) {
    Optional<String> token = token(name);
    if (token.isEmpty() || token.get().isEmpty()) {
      return orElse;
    }
    int id = vocabulary.find(token.get());
    if (id < 0) {
      LOG.warn("{}: {} is '{}', which is no token", folder, name, MergeTable.shown(token.get()));
      return orElse;
    }
    return OptionalInt.of(id);
  }

  private Set<Integer> endIds(int size) {
    Set<Integer> ids = new HashSet<>();
    if (generation.value("eos_token_id") instanceof List<?>) {
      List<@Nullable Object> list = generation.list("eos_token_id");
      for (Object id : list) {
        ids.add(JsonFields.integer(generation.place("eos_token_id"), id, 0, size - 1));
      }
    } else if (generation.has("eos_token_id")) {
      ids.add(generation.integer("eos_token_id", 0, size - 1, 0));
    }
    return ids;
  }

  /** The chat templates by name. */
  Map<String, String> chatTemplates() {
    Map<String, String> templates = new HashMap<>();
    if (config.value("chat_template") instanceof List<?>) {
      for (JsonFields template : config.objects("chat_template")) {
        templates.put(template.requiredText("name"), template.requiredText("template"));
      }
    } else {
      config.text("chat_template").ifPresent(template -> templates.put("default", template));
    }
    fields("chat_template.json")
        .text("chat_template")
        .ifPresent(template -> templates.putIfAbsent("default", template));
    Path file = folder.resolve("chat_template.jinja");
    if (Files.exists(file)) {
      templates.put("default", TokenizerJson.text(file));
    }
    Path more = folder.resolve("additional_chat_templates");
    if (Files.isDirectory(more)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(more, "*.jinja")) {
        for (Path other : files) {
          String name = other.getFileName().toString();
          templates.put(
              name.substring(0, name.length() - ".jinja".length()), TokenizerJson.text(other));
        }
      } catch (IOException e) {
        throw new FormatException(more + ": it can't be read: " + e.getMessage(), e);
      }
    }
    return templates;
  }
}
