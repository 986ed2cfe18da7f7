package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Tokens that a tokenizer_config.json adds to those of a tokenizer.model. */
final class SentencePieceAdditions {
  private static final int MOST_EXTRA = 10_000;

  private SentencePieceAdditions() {}

  /** Reads {@code added_tokens_decoder}: tokens by their ids. */
  static PipelineTokenizer.Parts add(JsonFields config, PipelineTokenizer.Parts parts) {
    Map<String, ?> tokens =
        config.object("added_tokens_decoder").map(JsonFields::fields).orElse(Map.of());
    return tokens.isEmpty()
        ? parts
        : add(config.requiredObject("added_tokens_decoder"), tokens, parts);
  }

  /**
   * The tokens that stand for hidden parts of a text for T5: as many as {@code extra_ids} says, the
   * first of them with the last id. Configurations of later versions list them.
   */
  static PipelineTokenizer.Parts addExtra(JsonFields config, PipelineTokenizer.Parts parts) {
    int count = config.integer("extra_ids", 0, MOST_EXTRA, 100);
    if (count == 0 || config.has("added_tokens_decoder")) {
      return parts;
    }
    int end = parts.vocabulary().size() + count;
    Map<String, @Nullable Object> tokens = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      tokens.put(
          String.valueOf(end - 1 - i),
          Map.of(
              "content", "<extra_id_" + i + ">", "lstrip", true, "rstrip", true, "special", true));
    }
    return add(new JsonFields(config.place("extra_ids"), "", tokens), tokens, parts);
  }

  private static PipelineTokenizer.Parts add(
      JsonFields decoder, Map<String, ?> tokens, PipelineTokenizer.Parts parts) {
    Vocabulary old = parts.vocabulary();
    VocabularyBuilder builder = new VocabularyBuilder(old.file());
    for (int id = 0; id < old.size(); id++) {
      builder.add(old.file(), id, old.text(id), old.kind(id));
    }
    List<SpecialTokens.Rule> rules = new ArrayList<>();
    for (String key : tokens.keySet()) {
      int id = id(decoder, key);
      JsonFields token = decoder.requiredObject(key);
      String text = token.requiredText("content");
      if (text.isEmpty()) {
        throw token.fail("content", "is empty");
      }
      boolean special = token.bool("special", false);
      if (id >= old.size() || !old.is(id, Vocabulary.UNKNOWN)) {
        builder.addAdded(id, text, special);
      }
      rules.add(
          new SpecialTokens.Rule(
              id,
              text,
              !special,
              token.bool("lstrip", false),
              token.bool("rstrip", false),
              token.bool("single_word", false)));
    }
    return parts.withTokens(builder.build(), parts.tokens().with(old.file(), rules));
  }

  private static int id(JsonFields decoder, String key) {
    if (!key.matches("[0-9]{1,8}")) {
      throw new FormatException(decoder.place(MergeTable.shown(key)) + " is not an id");
    }
    return JsonFields.integer(decoder.place(key), Long.parseLong(key), 0, VocabularyBuilder.MAX_ID);
  }
}
