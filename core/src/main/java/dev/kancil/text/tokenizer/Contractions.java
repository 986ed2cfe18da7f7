package dev.kancil.text.tokenizer;

/** English endings behind an apostrophe: {@code 's 't 'm 'd 're 've 'll}. */
final class Contractions {
  private Contractions() {}

  /** The end of the one that begins at the apostrophe at {@code from}, or {@code from}: none. */
  static int end(byte[] text, int from, int to, boolean anyCase) {
    if (to - from < 2) {
      return from;
    }
    int first = letter(text[from + 1], anyCase);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
      return from + 2;
    }
    if (to - from < 3) {
      return from;
    }
    int second = letter(text[from + 2], anyCase);
    if (second == 'e' ? first == 'r' || first == 'v' : second == 'l' && first == 'l') {
      return from + 3;
    }
    // Without case the long s is an s.
    return anyCase && text[from + 1] == (byte) 0xC5 && text[from + 2] == (byte) 0xBF
        ? from + 3
        : from;
  }

  private static int letter(byte value, boolean anyCase) {
    return anyCase && value >= 'A' && value <= 'Z' ? value | 0x20 : value;
  }
}
