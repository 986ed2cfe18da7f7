package dev.kancil.text.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * Steps through UTF-8. What takes text as bytes takes well-formed UTF-8, as {@link #encode} makes
 * it.
 */
final class Utf8 {
  private Utf8() {}

  /** The text's bytes; a surrogate without its partner becomes U+FFFD. */
  static byte[] encode(String text) {
    String clean = isWellFormed(text) ? text : replaceLoneSurrogates(text);
    return clean.getBytes(StandardCharsets.UTF_8);
  }

  private static boolean isWellFormed(String text) {
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      if (Character.isSurrogate(unit)) {
        if (!Character.isHighSurrogate(unit)
            || ++i == text.length()
            || !Character.isLowSurrogate(text.charAt(i))) {
          return false;
        }
      }
    }
    return true;
  }

  private static String replaceLoneSurrogates(String text) {
    StringBuilder clean = new StringBuilder(text.length());
    text.codePoints()
        .map(
            code ->
                code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE ? 0xFFFD : code)
        .forEach(clean::appendCodePoint);
    return clean.toString();
  }

  /** Whether a text has a surrogate without its partner, which UTF-8 can't hold. */
  static boolean hasLoneSurrogate(String text) {
    return !isWellFormed(text);
  }

  /** At least how many bytes a text takes; exactly that many if it is well-formed. */
  static long encodedLength(String text) {
    long length = 0;
    for (int i = 0; i < text.length(); i++) {
      char unit = text.charAt(i);
      length += unit < 0x80 ? 1 : unit < 0x800 || Character.isSurrogate(unit) ? 2 : 3;
    }
    return length;
  }

  /** How many bytes the character with this first byte takes. */
  static int length(byte first) {
    return first >= 0 ? 1 : first < (byte) 0xE0 ? 2 : first < (byte) 0xF0 ? 3 : 4;
  }

  static int codeAt(byte[] text, int at) {
    byte first = text[at];
    if (first >= 0) {
      return first;
    }
    if (first < (byte) 0xE0) {
      return (first & 0x1F) << 6 | (text[at + 1] & 0x3F);
    }
    if (first < (byte) 0xF0) {
      return (first & 0x0F) << 12 | (text[at + 1] & 0x3F) << 6 | (text[at + 2] & 0x3F);
    }
    return (first & 0x07) << 18
        | (text[at + 1] & 0x3F) << 12
        | (text[at + 2] & 0x3F) << 6
        | (text[at + 3] & 0x3F);
  }

  /** The place where the character before {@code at} begins. */
  static int before(byte[] text, int at) {
    int position = at - 1;
    while ((text[position] & 0xC0) == 0x80) {
      position--;
    }
    return position;
  }

  /**
   * Of bytes that need not be well-formed: how many there are before a last character that is begun
   * but not complete, and that further bytes may complete.
   */
  static int completeLength(byte[] bytes, int length) {
    for (int back = 1; back <= Math.min(3, length); back++) {
      int lead = bytes[length - back] & 0xFF;
      if (lead < 0x80) {
        return length;
      }
      if (lead >= 0xC0) {
        return back < neededLength(lead) && secondByteFits(lead, bytes, length - back + 1, length)
            ? length - back
            : length;
      }
    }
    return length;
  }

  private static int neededLength(int lead) {
    return lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  }

  /** The second byte alone decides whether a sequence is overlong, a surrogate, or too large. */
  private static boolean secondByteFits(int lead, byte[] bytes, int at, int length) {
    if (at == length) {
      return true;
    }
    int second = bytes[at] & 0xFF;
    int lowest = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    int highest = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return second >= lowest && second <= highest;
  }
}
