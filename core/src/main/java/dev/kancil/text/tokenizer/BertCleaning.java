package dev.kancil.text.tokenizer;

import java.text.Normalizer.Form;

/**
 * What BERT does to a text before it is cut (Devlin et al. 2019).
 *
 * @param cleans whether control characters go and all white space becomes spaces
 * @param separatesChinese whether Chinese characters get spaces around them
 */
record BertCleaning(
    boolean cleans, boolean separatesChinese, boolean stripsAccents, boolean lowerCase)
    implements Normalization {
  private static final UnicodeForm DECOMPOSED = new UnicodeForm(Form.NFD);

  @Override
  public Text apply(Text text) {
    Text changed = text;
    if (cleans) {
      changed = spaces(changed.without(BertCleaning::isRemoved));
    }
    if (separatesChinese) {
      changed = separated(changed);
    }
    if (stripsAccents) {
      changed = DECOMPOSED.apply(changed).without(EarlierUnicode::isNonSpacingMark);
    }
    return lowerCase ? new LowerCase().apply(changed) : changed;
  }

  private static boolean isRemoved(int code) {
    return code == 0 || code == 0xFFFD || EarlierUnicode.isControl(code);
  }

  private static Text spaces(Text text) {
    StringBuilder changed = new StringBuilder(text.text().length());
    text.text()
        .codePoints()
        .forEach(
            code ->
                changed.appendCodePoint(
                    CharacterClass.ofCode(code) == CharacterClass.SPACE ? ' ' : code));
    return text.with(changed.toString());
  }

  private static Text separated(Text text) {
    StringBuilder changed = new StringBuilder(text.text().length() + 16);
    text.text()
        .codePoints()
        .forEach(
            code -> {
              if (WordPieceTokenizer.isChinese(code)) {
                changed.append(' ').appendCodePoint(code).append(' ');
              } else {
                changed.appendCodePoint(code);
              }
            });
    return text.with(changed.toString());
  }
}
