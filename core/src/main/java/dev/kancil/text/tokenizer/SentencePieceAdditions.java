package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Tokens that a tokenizer_config.json adds to those of a tokenizer.model. */
final class SentencePieceAdditions {
  private SentencePieceAdditions() {}

  /** Reads {@code added_tokens_decoder}: tokens by their ids. */
  static PipelineTokenizer.Parts add(JsonFields config, PipelineTokenizer.Parts parts) {
    Map<String, ?> tokens =
        config.object("added_tokens_decoder").map(JsonFields::fields).orElse(Map.of());
    if (tokens.isEmpty()) {
      return parts;
    }
    JsonFields decoder = config.requiredObject("added_tokens_decoder");
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
