package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Compiled rules as Hugging Face's library applies them: a grapheme of up to five bytes that begins
 * with the text of a rule becomes what the shortest such rule says, as a whole; in others, each
 * character does so by itself.
 */
record GraphemeCharsMap(CharsMap map) implements Normalization {
  private static final Pattern GRAPHEME = Pattern.compile("\\X");
  private static final int LONGEST = 5;

  @Override
  public Text apply(Text text) {
    String all = text.text();
    StringBuilder changed = new StringBuilder(all.length() + 16);
    Matcher graphemes = GRAPHEME.matcher(all);
    for (int from = 0; from < all.length(); ) {
      int to = from + 1;
      if (!isPlain(all, from)) {
        graphemes.find(from);
        to = graphemes.end();
      }
      grapheme(all.substring(from, to), changed);
      Normalization.checkGrowth(all.length(), changed.length());
      from = to;
    }
    return text.with(changed.toString());
  }

  /** Below U+0300 characters are graphemes, unless what follows is beyond it; CR and LF are one. */
  private static boolean isPlain(String text, int at) {
    return text.charAt(at) < 0x300
        && text.charAt(at) != '\r'
        && (at + 1 == text.length() || text.charAt(at + 1) < 0x300);
  }

  private void grapheme(String grapheme, StringBuilder changed) {
    byte[] bytes = grapheme.getBytes(StandardCharsets.UTF_8);
    if (bytes.length <= LONGEST) {
      CharsMap.Match match = map.find(bytes, 0, bytes.length, false);
      if (match != null) {
        changed.append(match.text());
        return;
      }
    }
    for (int at = 0; at < bytes.length; ) {
      int next = at + Utf8.length(bytes[at]);
      CharsMap.Match match = map.find(bytes, at, next, false);
      changed.append(
          match != null ? match.text() : new String(bytes, at, next - at, StandardCharsets.UTF_8));
      at = next;
    }
  }
}
