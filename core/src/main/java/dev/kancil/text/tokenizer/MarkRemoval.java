package dev.kancil.text.tokenizer;

/** Removes all combining marks: Hugging Face's StripAccents. */
final class MarkRemoval implements Normalization {
  @Override
  public Text apply(Text text) {
    return text.without(EarlierUnicode::isMark);
  }
}
