package dev.kancil.text.tokenizer;

import java.lang.Character.UnicodeScript;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a text where the script changes. Kana count as Han; a space, and what has no script, goes
 * with any. As {@code UnicodeScripts} of Hugging Face's library.
 */
final class ScriptSplitter implements Splitter {
  @Override
  public void split(byte[] text, int from, int to, Words words) {
    int start = from;
    UnicodeScript last = null;
    boolean begun = false;
    for (int at = from; at < to; at += Utf8.length(text[at])) {
      UnicodeScript script = script(Utf8.codeAt(text, at));
      if (script == null) {
        continue;
      }
      if (script != last) {
        if (begun) {
          words.word(text, start, at);
        }
        // What has any script and begins the text is left out, as there.
        start = at;
        begun = true;
      }
      last = script;
    }
    if (begun) {
      words.word(text, start, to);
    }
  }

  /** Null stands for any script. */
  private static @Nullable UnicodeScript script(int code) {
    if (code == ' ' || EarlierScripts.isUnknown(code)) {
      return null;
    }
    if (code == 0x30FC) {
      return UnicodeScript.HAN;
    }
    UnicodeScript script = UnicodeScript.of(code);
    return switch (script) {
      case HIRAGANA, KATAKANA -> UnicodeScript.HAN;
      case UNKNOWN -> null;
      default -> script;
    };
  }
}
