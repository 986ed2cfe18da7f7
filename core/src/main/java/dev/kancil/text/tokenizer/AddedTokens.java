package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The {@code added_tokens} of a tokenizer.json: tokens beside those of the model. */
final class AddedTokens {
  /**
   * One of them.
   *
   * @param normalized whether it is found in normalised text, by its own normalised text
   */
  record Token(
      int id,
      String content,
      boolean special,
      boolean normalized,
      boolean stripsLeft,
      boolean stripsRight,
      boolean wholeWord) {}

  private final List<Token> tokens;

  private AddedTokens(List<Token> tokens) {
    this.tokens = tokens;
  }

  static AddedTokens read(JsonFields json) {
    Map<String, Token> tokens = new HashMap<>();
    List<Token> inOrder = new ArrayList<>();
    for (JsonFields token : json.objects("added_tokens")) {
      String content = token.shortText("content");
      if (!token.has("id")) {
        throw token.fail("id", "is missing");
      }
      int id = token.integer("id", 0, VocabularyBuilder.MAX_ID, 0);
      boolean special = token.bool("special", false);
      Token read =
          new Token(
              id,
              content,
              special,
              token.bool("normalized", !special),
              token.bool("lstrip", false),
              token.bool("rstrip", false),
              token.bool("single_word", false));
      Token other = tokens.putIfAbsent(content, read);
      if (other != null && !other.equals(read)) {
        throw token.fail("content", "is that of another added token, too");
      }
      if (other == null && !content.isEmpty()) {
        inOrder.add(read);
      }
    }
    return new AddedTokens(inOrder);
  }

  /** Puts the tokens into the vocabulary. */
  void addTo(VocabularyBuilder vocabulary) {
    for (Token token : tokens) {
      vocabulary.addAdded(token.id(), token.content(), token.special());
    }
  }

  /** What finds the tokens that are not normalised, or those that are. */
  SpecialTokens finder(String file, boolean normalized, Map<Integer, String> texts) {
    List<SpecialTokens.Rule> rules = new ArrayList<>();
    for (Token token : tokens) {
      String text = texts.getOrDefault(token.id(), token.content());
      if (token.normalized() == normalized && !text.isEmpty()) {
        rules.add(
            new SpecialTokens.Rule(
                token.id(),
                text,
                !token.special(),
                token.stripsLeft(),
                token.stripsRight(),
                token.wholeWord()));
      }
    }
    return new SpecialTokens(file, rules, true);
  }

  /** The texts of normalised tokens that normalisation changes. */
  Map<Integer, String> normalizedTexts(String file, Normalization normalization) {
    Map<Integer, String> texts = new HashMap<>();
    for (Token token : tokens) {
      if (token.normalized()) {
        String text;
        try {
          text = normalization.apply(new Normalization.Text(token.content(), true)).text();
        } catch (FormatException e) {
          throw new FormatException(file + ": added_tokens: " + e.getMessage(), e);
        }
        if (!text.equals(token.content())) {
          texts.put(token.id(), text);
        }
      }
    }
    return Map.copyOf(texts);
  }
}
