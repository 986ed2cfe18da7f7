package dev.kancil.text.tokenizer;

/** Removes control characters and makes spaces of what separates words: Hugging Face's Nmt. */
final class NmtCleaning implements Normalization {
  @Override
  public Text apply(Text text) {
    Text kept = text.without(NmtCleaning::isControl);
    StringBuilder changed = new StringBuilder(kept.text().length());
    kept.text()
        .codePoints()
        .forEach(code -> changed.appendCodePoint(isSeparator(code) ? ' ' : code));
    return kept.with(changed.toString());
  }

  private static boolean isControl(int code) {
    return (code >= 1 && code <= 8)
        || code == 0x0B
        || (code >= 0x0E && code <= 0x1F)
        || code == 0x7F
        || code == 0x8F
        || code == 0x9F;
  }

  private static boolean isSeparator(int code) {
    return switch (code) {
      case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD -> true;
      default -> code >= 0x200B && code <= 0x200F;
    };
  }
}
