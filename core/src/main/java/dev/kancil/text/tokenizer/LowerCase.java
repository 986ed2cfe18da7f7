package dev.kancil.text.tokenizer;

/** Small letters, each character by itself and in no language: a final sigma is like any other. */
final class LowerCase implements Normalization {
  @Override
  public Text apply(Text text) {
    StringBuilder lower = new StringBuilder(text.text().length());
    text.text().codePoints().forEach(code -> append(code, lower));
    return text.with(lower.toString());
  }

  static void append(int code, StringBuilder to) {
    if (code == 'İ') {
      to.append("i\u0307");
    } else {
      to.appendCodePoint(Character.toLowerCase(code));
    }
  }
}
