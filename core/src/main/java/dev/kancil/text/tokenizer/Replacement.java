package dev.kancil.text.tokenizer;

import java.util.Optional;

/**
 * Replaces what matches.
 *
 * @param literal the text that matches, if that is no pattern
 */
record Replacement(Optional<String> literal, TextPattern pattern, String content)
    implements Normalization {
  @Override
  public Text apply(Text text) {
    String before = text.text();
    if (literal.isPresent() && before.indexOf(literal.get()) < 0) {
      return text;
    }
    boolean[] atStart = {text.atStart()};
    String changed = replace(before, atStart);
    return new Text(changed, atStart[0]);
  }

  String replace(String text) {
    return replace(text, new boolean[1]);
  }

  private String replace(String text, boolean[] atStart) {
    if (literal.isPresent()
        && literal.get().codePointCount(0, literal.get().length()) == 1
        && content.length() <= 100) {
      atStart[0] &= !(content.isEmpty() && text.startsWith(literal.get()));
      return text.replace(literal.get(), content);
    }
    StringBuilder changed = new StringBuilder(text.length());
    int[] rest = {0};
    pattern.matches(
        text,
        (from, to) -> {
          changed.append(text, rest[0], from).append(content);
          Normalization.checkGrowth(text.length(), changed.length());
          rest[0] = to;
          if (from == 0 && to > 0) {
            // What is put in comes from the last character that it replaces.
            atStart[0] &= !content.isEmpty() && text.codePointCount(0, to) == 1;
          }
        });
    return changed.append(text, rest[0], text.length()).toString();
  }
}
