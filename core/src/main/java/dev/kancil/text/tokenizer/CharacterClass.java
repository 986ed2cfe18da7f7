package dev.kancil.text.tokenizer;

/**
 * What a character is, as pre-tokenizers ask, and steps through UTF-8 by it. Classes are single
 * bits, so that sets of them are masks; every character has exactly one.
 */
final class CharacterClass {
  static final int LETTER = 1;
  static final int NUMBER = 1 << 1;
  static final int SPACE = 1 << 2;
  static final int PUNCTUATION = 1 << 3;
  static final int MARK = 1 << 4;
  static final int SYMBOL = 1 << 5;
  static final int OTHER = 1 << 6;
  static final int ALL = LETTER | NUMBER | SPACE | PUNCTUATION | MARK | SYMBOL | OTHER;

  private static final byte[] ASCII = new byte[128];

  static {
    for (int code = 0; code < 128; code++) {
      ASCII[code] = (byte) ofCode(code);
    }
  }

  private CharacterClass() {}

  static int ofCode(int code) {
    return switch (Character.getType(code)) {
      case Character.UPPERCASE_LETTER,
          Character.LOWERCASE_LETTER,
          Character.TITLECASE_LETTER,
          Character.MODIFIER_LETTER,
          Character.OTHER_LETTER ->
          LETTER;
      case Character.DECIMAL_DIGIT_NUMBER, Character.LETTER_NUMBER, Character.OTHER_NUMBER ->
          NUMBER;
      case Character.SPACE_SEPARATOR, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR ->
          SPACE;
      case Character.CONTROL -> (code >= 9 && code <= 13) || code == 0x85 ? SPACE : OTHER;
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          PUNCTUATION;
      case Character.NON_SPACING_MARK, Character.COMBINING_SPACING_MARK, Character.ENCLOSING_MARK ->
          MARK;
      case Character.MATH_SYMBOL,
          Character.CURRENCY_SYMBOL,
          Character.MODIFIER_SYMBOL,
          Character.OTHER_SYMBOL ->
          SYMBOL;
      default -> OTHER;
    };
  }

  /** Whether a character is part of a word: {@code \\w} by Unicode's rules. */
  static boolean isWord(int code) {
    if (code < 128) {
      return (ASCII[code] & (LETTER | NUMBER)) != 0 || code == '_';
    }
    return Character.isAlphabetic(code)
        || switch (Character.getType(code)) {
          case Character.NON_SPACING_MARK,
              Character.COMBINING_SPACING_MARK,
              Character.ENCLOSING_MARK,
              Character.DECIMAL_DIGIT_NUMBER,
              Character.CONNECTOR_PUNCTUATION ->
              true;
          default -> code == 0x200C || code == 0x200D;
        };
  }

  /** The class of the character that begins at {@code at}, which must lie within the text. */
  static int at(byte[] text, int at) {
    byte first = text[at];
    return first >= 0 ? ASCII[first] : ofCode(Utf8.codeAt(text, at));
  }

  /** The first place from {@code at} on where no character of one of the classes begins. */
  static int skip(byte[] text, int at, int to, int classes) {
    int position = at;
    while (position < to) {
      byte first = text[position];
      if (first >= 0) {
        if ((ASCII[first] & classes) == 0) {
          return position;
        }
        position++;
      } else {
        if ((ofCode(Utf8.codeAt(text, position)) & classes) == 0) {
          return position;
        }
        position += Utf8.length(first);
      }
    }
    return position;
  }
}
