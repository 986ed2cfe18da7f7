package dev.kancil.text.tokenizer;

/**
 * One sequence of ids on its way to text. What it appends, joined, does not depend on how many ids
 * there are yet; what further ids may change is held back. Used by one thread at a time.
 */
interface Decoding {
  /** Appends what can be shown now that one more id is there, which must be in the vocabulary. */
  void next(int id, StringBuilder text);

  /** Appends what is held back. Afterwards more ids may come. */
  void end(StringBuilder text);
}
