package dev.kancil.text.tokenizer;

import dev.kancil.FormatException;
import java.util.List;

/** Changes a text before it is cut into words. */
interface Normalization {
  /** Changes nothing. */
  Normalization NONE = text -> text;

  /**
   * A text between two steps.
   *
   * @param text well-formed
   * @param atStart whether its first character comes from the first one of the whole text
   */
  record Text(String text, boolean atStart) {
    Text with(String changed) {
      return changed.equals(text) ? this : new Text(changed, atStart);
    }

    /** With some characters left out. */
    Text without(RunSplitter.CharacterSet characters) {
      StringBuilder kept = new StringBuilder(text.length());
      text.codePoints().filter(code -> !characters.contains(code)).forEach(kept::appendCodePoint);
      if (kept.length() == text.length()) {
        return this;
      }
      return new Text(kept.toString(), atStart && !characters.contains(text.codePointAt(0)));
    }
  }

  /** The changed text; the same object where nothing has changed. */
  Text apply(Text text);

  /**
   * Refuses what grows beyond reason, as rules from strangers may make it.
   *
   * @param before how long a text was
   * @param after how long it has become so far
   * @throws FormatException if that is too long
   */
  static void checkGrowth(int before, int after) {
    if (after > 1_000_000 + 100L * before) {
      throw new FormatException(
          "the tokenizer's normalisation makes far too much of a text of "
              + before
              + " characters");
    }
  }

  /** Several steps, one after the other. */
  record Sequence(List<Normalization> steps) implements Normalization {
    @Override
    public Text apply(Text text) {
      Text changed = text;
      for (Normalization step : steps) {
        changed = step.apply(changed);
        checkGrowth(text.text().length(), changed.text().length());
      }
      return changed;
    }
  }
}
