package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;

/** Writes each byte of a text as its letter of the {@link ByteLevel} alphabet; cuts nothing. */
final class ByteLetters implements Splitter {
  @Override
  public void split(byte[] text, int from, int to, Words words) {
    byte[] letters = letters(text, from, to).getBytes(StandardCharsets.UTF_8);
    words.word(letters, 0, letters.length);
  }

  static String letters(byte[] text, int from, int to) {
    StringBuilder letters = new StringBuilder(to - from);
    for (int i = from; i < to; i++) {
      letters.append(ByteLevel.character(text[i]));
    }
    return letters.toString();
  }
}
