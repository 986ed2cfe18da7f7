package dev.kancil.text.template;

import java.util.Locale;

/**
 * Upper and lower case of texts of any length. Java's own takes time in the square of the length
 * where a letter becomes several (ΐ, İ), so long texts are converted in pieces.
 */
final class LetterCase {
  private static final int PIECE = 256;

  private LetterCase() {}

  static String convert(Evaluation evaluation, String text, boolean upper) {
    if (text.length() <= PIECE) {
      String converted = convert(text, upper);
      evaluation.reserve(converted.length());
      return converted;
    }
    StringBuilder converted = new StringBuilder(text.length());
    int start = 0;
    while (start < text.length()) {
      int end = end(text, start);
      String piece = convert(text.substring(start, end), upper);
      evaluation.reserve(piece.length());
      converted.append(piece);
      start = end;
    }
    return converted.toString();
  }

  private static String convert(String text, boolean upper) {
    return upper ? text.toUpperCase(Locale.ROOT) : text.toLowerCase(Locale.ROOT);
  }

  /** Pieces end after a space if they can: whether a sigma ends a word decides its lower case. */
  private static int end(String text, int start) {
    int limit = Math.min(start + PIECE, text.length());
    if (limit == text.length()) {
      return limit;
    }
    int end = limit;
    while (end > start && !PythonText.isSpace(text.charAt(end - 1))) {
      end--;
    }
    if (end > start) {
      return end;
    }
    return Character.isHighSurrogate(text.charAt(limit - 1)) ? limit - 1 : limit;
  }
}
