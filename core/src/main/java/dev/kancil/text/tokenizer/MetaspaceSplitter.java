package dev.kancil.text.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes spaces as another character, puts one before the text, and cuts before each.
 *
 * @param replacement what stands for a space, in UTF-8
 * @param prepend before which parts of a text one is put
 * @param cuts whether the text is cut
 */
record MetaspaceSplitter(String replacement, Prepend prepend, boolean cuts) implements Splitter {
  /** Before which parts of a text a space is put, unless one is there. */
  enum Prepend {
    ALWAYS,
    /** Before what begins the whole text. */
    FIRST,
    NEVER
  }

  @Override
  public Splitter afterStart() {
    return prepend == Prepend.FIRST
        ? new MetaspaceSplitter(replacement, Prepend.NEVER, cuts)
        : this;
  }

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    if (from == to) {
      return;
    }
    byte[] space = replacement.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream changed = new ByteArrayOutputStream(to - from + 16);
    if (prepend != Prepend.NEVER && text[from] != ' ' && !begins(text, from, to, space)) {
      changed.writeBytes(space);
    }
    for (int i = from; i < to; i++) {
      if (text[i] == ' ') {
        changed.writeBytes(space);
      } else {
        changed.write(text[i]);
      }
    }
    byte[] bytes = changed.toByteArray();
    if (!cuts) {
      words.word(bytes, 0, bytes.length);
      return;
    }
    int code = replacement.codePointAt(0);
    new SetSplitter(other -> other == code, SplitBehavior.MERGED_WITH_NEXT)
        .split(bytes, 0, bytes.length, words);
  }

  private static boolean begins(byte[] text, int from, int to, byte[] with) {
    for (int i = 0; i < with.length; i++) {
      if (from + i >= to || text[from + i] != with[i]) {
        return false;
      }
    }
    return true;
  }
}
