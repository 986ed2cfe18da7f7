package dev.kancil.text.tokenizer;

/** Puts something before each text that is not empty. */
record Prefix(String prefix) implements Normalization {
  @Override
  public Text apply(Text text) {
    return text.text().isEmpty() ? text : text.with(prefix + text.text());
  }
}
