package dev.kancil.text.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What SentencePiece does to a text: the longest rules of a map from left to right, then spaces at
 * the ends and in runs go, a space is put before or behind the text, and all are written {@code ▁}.
 *
 * @param map the rules, if there are any
 * @param kept texts that stay as they are: user-defined symbols
 */
record SentencePieceNormalization(
    Optional<CharsMap> map,
    ByteTrie kept,
    boolean addsSpace,
    boolean spaceBehind,
    boolean removesSpaces,
    boolean escapesSpaces)
    implements Normalization {
  private static final String SPACE = "▁";

  @Override
  public Text apply(Text text) {
    if (text.text().isEmpty()) {
      return text;
    }
    byte[] bytes = text.text().getBytes(StandardCharsets.UTF_8);
    String space = escapesSpaces ? SPACE : " ";
    StringBuilder out = new StringBuilder(bytes.length + 16);
    if (addsSpace && !spaceBehind) {
      out.append(space);
    }
    boolean anyText = rewrite(bytes, out);
    if (removesSpaces) {
      if (!anyText) {
        return text.with("");
      }
      int length = out.length();
      while (length > 0 && isSpace(out.charAt(length - 1))) {
        length--;
      }
      out.setLength(length);
    }
    if (addsSpace && spaceBehind) {
      out.append(space);
    }
    return text.with(escapesSpaces ? out.toString().replace(" ", SPACE) : out.toString());
  }

  /**
   * Appends what becomes of a text; where spaces are removed, without those at its beginning and
   * those behind another.
   *
   * @return whether it is anything but spaces
   */
  private boolean rewrite(byte[] bytes, StringBuilder out) {
    ByteArrayOutputStream part = new ByteArrayOutputStream(16);
    boolean afterSpace = removesSpaces;
    boolean anyText = false;
    for (int at = 0; at < bytes.length; ) {
      part.reset();
      at = next(bytes, at, part);
      String more = part.toString(StandardCharsets.UTF_8);
      anyText |= !more.equals(" ");
      int from = 0;
      while (afterSpace && from < more.length() && more.charAt(from) == ' ') {
        from++;
      }
      if (from < more.length()) {
        out.append(more, from, more.length());
        Normalization.checkGrowth(bytes.length, out.length());
        afterSpace = removesSpaces && more.endsWith(" ");
      }
    }
    return anyText;
  }

  /** What is written as a space is one, even if it was no space before. */
  private boolean isSpace(char unit) {
    return unit == ' ' || (escapesSpaces && unit == SPACE.charAt(0));
  }

  /** Writes what becomes of the text at a place; returns where the text goes on. */
  private int next(byte[] bytes, int at, ByteArrayOutputStream out) {
    int end = keptEnd(bytes, at);
    if (end > at) {
      out.write(bytes, at, end - at);
      return end;
    }
    CharsMap.Match match = map.isEmpty() ? null : map.get().find(bytes, at, bytes.length, true);
    if (match != null) {
      out.writeBytes(match.text().getBytes(StandardCharsets.UTF_8));
      return at + match.length();
    }
    int length = Utf8.length(bytes[at]);
    out.write(bytes, at, length);
    return at + length;
  }

  private int keptEnd(byte[] bytes, int from) {
    int end = from;
    int node = 0;
    for (int at = from; at < bytes.length; ) {
      node = kept.child(node, bytes[at++]);
      if (node == 0) {
        break;
      }
      if (kept.token(node) >= 0) {
        end = at;
      }
    }
    return end;
  }
}
