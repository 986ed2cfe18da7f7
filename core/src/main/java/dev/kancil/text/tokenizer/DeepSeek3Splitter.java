package dev.kancil.text.tokenizer;

import static dev.kancil.text.tokenizer.CharacterClass.LETTER;
import static dev.kancil.text.tokenizer.CharacterClass.MARK;
import static dev.kancil.text.tokenizer.CharacterClass.PUNCTUATION;
import static dev.kancil.text.tokenizer.CharacterClass.SPACE;
import static dev.kancil.text.tokenizer.CharacterClass.SYMBOL;

/**
 * DeepSeek V3's last pattern: a sign of ASCII and {@code [A-Za-z]+}, or {@code
 * [^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}. What it
 * does not match, such as a number, stays whole.
 */
final class DeepSeek3Splitter implements Splitter {
  private static final int LETTERS = LETTER | MARK;
  private static final int SIGNS = PUNCTUATION | SYMBOL;

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    int rest = from;
    for (int at = from; at < to; ) {
      int end = end(text, at, to);
      if (end == at) {
        at += Utf8.length(text[at]);
        continue;
      }
      if (at > rest) {
        words.word(text, rest, at);
      }
      words.word(text, at, end);
      at = end;
      rest = end;
    }
    if (to > rest) {
      words.word(text, rest, to);
    }
  }

  /** The end of what matches at a place, or that place. */
  private static int end(byte[] text, int from, int to) {
    int kind = CharacterClass.at(text, from);
    byte first = text[from];
    int second = from + Utf8.length(first);
    if ((kind & LETTERS) != 0) {
      return CharacterClass.skip(text, from, to, LETTERS);
    }
    if ((kind & SIGNS) != 0) {
      if (first >= 0 && second < to && isLatin(text[second])) {
        int end = second;
        while (end < to && isLatin(text[end])) {
          end++;
        }
        return end;
      }
      return signs(text, second, to);
    }
    if (!WhiteSpace.isLineEnd(first)) {
      int end = CharacterClass.skip(text, second, to, LETTERS);
      if (end > second) {
        return end;
      }
    }
    if (kind != SPACE) {
      return from;
    }
    if (first == ' ' && second < to && (CharacterClass.at(text, second) & SIGNS) != 0) {
      return signs(text, second, to);
    }
    return WhiteSpace.endAtLines(text, from, to);
  }

  private static int signs(byte[] text, int from, int to) {
    int end = CharacterClass.skip(text, from, to, SIGNS);
    while (end < to && WhiteSpace.isLineEnd(text[end])) {
      end++;
    }
    return end;
  }

  private static boolean isLatin(byte value) {
    return (value >= 'a' && value <= 'z') || (value >= 'A' && value <= 'Z');
  }
}
