package dev.kancil.text.tokenizer;

import static dev.kancil.text.tokenizer.CharacterClass.LETTER;
import static dev.kancil.text.tokenizer.CharacterClass.MARK;
import static dev.kancil.text.tokenizer.CharacterClass.NUMBER;
import static dev.kancil.text.tokenizer.CharacterClass.SPACE;

/**
 * The pattern of OpenAI's o200k: words end where small letters do, {@code
 * [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|}
 * the same with {@code +} and {@code *} in turn, {@code |\p{N}{1,3}|
 * ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+}.
 */
final class O200kSplitter implements Splitter {
  private static final int OTHERS = CharacterClass.ALL & ~(SPACE | LETTER | NUMBER);
  private static final int CAPITAL = 1;
  private static final int SMALL = 2;

  /** Letters without case, and marks, may stand where either does. */
  private static final int BOTH = CAPITAL | SMALL;

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    for (int at = from; at < to; ) {
      int end = end(text, at, to);
      words.word(text, at, end);
      at = end;
    }
  }

  private static int end(byte[] text, int from, int to) {
    int kind = CharacterClass.at(text, from);
    if (kind == NUMBER) {
      int end = from;
      for (int i = 0; i < 3 && end < to && CharacterClass.at(text, end) == NUMBER; i++) {
        end += Utf8.length(text[end]);
      }
      return end;
    }
    if (kind == LETTER) {
      int end = small(text, from, to);
      return withContraction(text, end > from ? end : capitals(text, from, to), to);
    }
    byte first = text[from];
    int second = from + Utf8.length(first);
    if (!WhiteSpace.isLineEnd(first)) {
      int end = small(text, second, to);
      if (end == second && kind == MARK) {
        return withContraction(text, second, to);
      }
      end = end > second ? end : capitals(text, second, to);
      if (end > second) {
        return withContraction(text, end, to);
      }
    }
    if (kind != SPACE
        || (first == ' ' && second < to && (CharacterClass.at(text, second) & OTHERS) != 0)) {
      int end = CharacterClass.skip(text, second, to, OTHERS);
      while (end < to && (WhiteSpace.isLineEnd(text[end]) || text[end] == '/')) {
        end++;
      }
      return end;
    }
    return WhiteSpace.endAtLines(text, from, to);
  }

  /** The end of capitals and at least one small letter behind them, or {@code from}. */
  private static int small(byte[] text, int from, int to) {
    int end = from;
    int at = from;
    while (at < to) {
      int letter = letterCase(text, at);
      if ((letter & CAPITAL) == 0) {
        break;
      }
      at += Utf8.length(text[at]);
      end = letter == BOTH ? at : end;
    }
    if (at == to || letterCase(text, at) != SMALL) {
      return end;
    }
    while (at < to && (letterCase(text, at) & SMALL) != 0) {
      at += Utf8.length(text[at]);
    }
    return at;
  }

  private static int capitals(byte[] text, int from, int to) {
    int at = from;
    while (at < to && (letterCase(text, at) & CAPITAL) != 0) {
      at += Utf8.length(text[at]);
    }
    return at;
  }

  private static int withContraction(byte[] text, int end, int to) {
    return end < to && text[end] == '\'' ? Contractions.end(text, end, to, true) : end;
  }

  private static int letterCase(byte[] text, int at) {
    byte first = text[at];
    if (first >= 0) {
      return first >= 'a' && first <= 'z' ? SMALL : first >= 'A' && first <= 'Z' ? CAPITAL : 0;
    }
    return switch (Character.getType(Utf8.codeAt(text, at))) {
      case Character.LOWERCASE_LETTER -> SMALL;
      case Character.UPPERCASE_LETTER, Character.TITLECASE_LETTER -> CAPITAL;
      case Character.MODIFIER_LETTER,
          Character.OTHER_LETTER,
          Character.NON_SPACING_MARK,
          Character.COMBINING_SPACING_MARK,
          Character.ENCLOSING_MARK ->
          BOTH;
      default -> 0;
    };
  }
}
