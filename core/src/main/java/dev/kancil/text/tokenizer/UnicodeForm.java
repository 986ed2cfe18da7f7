package dev.kancil.text.tokenizer;

import java.text.Normalizer;
import java.text.Normalizer.Form;

/**
 * Unicode's normalisation. Hugging Face's library has tables from before Unicode 14: characters
 * that only newer ones decompose or put in order stay as they are.
 */
record UnicodeForm(Form form) implements Normalization {
  @Override
  public Text apply(Text text) {
    String all = text.text();
    if (Normalizer.isNormalized(all, form)) {
      return text;
    }
    StringBuilder changed = new StringBuilder(all.length() + 16);
    int rest = 0;
    for (int i = 0; i < all.length(); ) {
      int code = all.codePointAt(i);
      int next = i + Character.charCount(code);
      if (EarlierUnicode.staysWhole(code, form)) {
        changed.append(Normalizer.normalize(all.substring(rest, i), form)).appendCodePoint(code);
        rest = next;
      }
      i = next;
    }
    return text.with(changed.append(Normalizer.normalize(all.substring(rest), form)).toString());
  }
}
