package dev.kancil.text.tokenizer;

import dev.kancil.UnsupportedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the files that were there before tokenizer.json as one: the same reader then reads it. */
final class OlderFiles {
  private OlderFiles() {}

  /** Byte-level BPE of {@code vocab.json} and {@code merges.txt}: GPT-2, RoBERTa, Qwen 2. */
  static JsonFields pairs(Path folder, TokenizerConfig config) {
    String kind = config.tokenizerClass();
    boolean roberta = kind.equals("RobertaTokenizer");
    boolean qwen = kind.equals("Qwen2Tokenizer");
    if (!roberta && !qwen && !kind.equals("GPT2Tokenizer") && !kind.isEmpty()) {
      throw new UnsupportedException(
          folder
              + ": vocab.json and merges.txt of a "
              + MergeTable.shown(kind)
              + " are not supported; supported are GPT2Tokenizer, RobertaTokenizer and"
              + " Qwen2Tokenizer");
    }
    Path vocabulary = folder.resolve("vocab.json");
    JsonFields tokens = JsonFields.parse(vocabulary.toString(), TokenizerJson.text(vocabulary));
    List<@Nullable Object> merges = new ArrayList<>();
    TokenizerJson.text(folder.resolve("merges.txt"))
        .lines()
        .filter(line -> !line.startsWith("#version") && !line.isEmpty())
        .forEach(merges::add);
    boolean spaceBefore = config.fields().bool("add_prefix_space", false);
    Map<String, @Nullable Object> byteLevel =
        object("type", "ByteLevel", "add_prefix_space", spaceBefore, "use_regex", !qwen);
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("model", object("type", "BPE", "vocab", tokens.fields(), "merges", merges));
    json.put("decoder", object("type", "ByteLevel"));
    json.put("pre_tokenizer", byteLevel);
    if (qwen) {
      json.put("normalizer", object("type", "NFC"));
      json.put(
          "pre_tokenizer",
          object(
              "type",
              "Sequence",
              "pretokenizers",
              List.of(
                  object(
                      "type",
                      "Split",
                      "pattern",
                      object("Regex", KnownPatterns.QWEN2),
                      "behavior",
                      "Isolated"),
                  byteLevel)));
    }
    if (roberta) {
      json.put("post_processor", around(tokens, config, "RobertaProcessing", "<s>", "</s>"));
    }
    json.put("added_tokens", added(config, tokens.fields()));
    return new JsonFields(folder.toString(), "", json);
  }

  /** BERT's {@code vocab.txt}: a token on each line. */
  static JsonFields wordPieces(Path folder, TokenizerConfig config) {
    Map<String, @Nullable Object> vocabulary = new LinkedHashMap<>();
    long id = 0;
    for (String line :
        (Iterable<String>) TokenizerJson.text(folder.resolve("vocab.txt")).lines()::iterator) {
      vocabulary.put(line.stripTrailing(), id++);
    }
    JsonFields fields = config.fields();
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put(
        "model",
        object(
            "type",
            "WordPiece",
            "vocab",
            vocabulary,
            "unk_token",
            config.token("unk_token").orElse("[UNK]")));
    json.put(
        "normalizer",
        object(
            "type",
            "BertNormalizer",
            "clean_text",
            true,
            "handle_chinese_chars",
            fields.bool("tokenize_chinese_chars", true),
            "strip_accents",
            fields.value("strip_accents"),
            "lowercase",
            fields.bool("do_lower_case", true)));
    json.put("pre_tokenizer", object("type", "BertPreTokenizer"));
    json.put("decoder", object("type", "WordPiece"));
    JsonFields tokens = new JsonFields(folder.resolve("vocab.txt").toString(), "", vocabulary);
    json.put("post_processor", around(tokens, config, "BertProcessing", "[CLS]", "[SEP]"));
    json.put("added_tokens", added(config, vocabulary));
    return new JsonFields(folder.toString(), "", json);
  }

  private static Map<String, @Nullable Object> around(
      JsonFields tokens, TokenizerConfig config, String type, String beginning, String separator) {
    String first = config.token("cls_token").orElse(beginning);
    String last = config.token("sep_token").orElse(separator);
    return object(
        "type",
        type,
        "cls",
        listOf(first, tokens.fields().get(first)),
        "sep",
        listOf(last, tokens.fields().get(last)));
  }

  private static List<@Nullable Object> listOf(@Nullable Object first, @Nullable Object second) {
    List<@Nullable Object> list = new ArrayList<>();
    list.add(first);
    list.add(second);
    return list;
  }

  /** The tokens that the configuration adds, and those that have a role. */
  private static List<@Nullable Object> added(
      TokenizerConfig config, Map<String, @Nullable Object> vocabulary) {
    Map<Object, @Nullable Object> added = new LinkedHashMap<>();
    config
        .fields()
        .object("added_tokens_decoder")
        .ifPresent(
            decoder -> {
              for (String key : decoder.fields().keySet()) {
                JsonFields token = decoder.requiredObject(key);
                Map<String, @Nullable Object> fields = new LinkedHashMap<>(token.fields());
                fields.put("id", key.matches("[0-9]{1,8}") ? (Object) Long.valueOf(key) : key);
                added.put(token.requiredText("content"), fields);
              }
            });
    for (String role :
        List.of(
            "bos_token",
            "eos_token",
            "unk_token",
            "sep_token",
            "pad_token",
            "cls_token",
            "mask_token")) {
      config
          .token(role)
          .filter(vocabulary::containsKey)
          .ifPresent(
              text ->
                  added.putIfAbsent(
                      text, object("id", vocabulary.get(text), "content", text, "special", true)));
    }
    return new ArrayList<>(added.values());
  }

  private static Map<String, @Nullable Object> object(@Nullable Object... namesAndValues) {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      object.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    return object;
  }
}
