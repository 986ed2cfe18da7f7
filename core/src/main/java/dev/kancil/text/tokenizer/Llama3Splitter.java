package dev.kancil.text.tokenizer;

import static dev.kancil.text.tokenizer.CharacterClass.LETTER;
import static dev.kancil.text.tokenizer.CharacterClass.NUMBER;
import static dev.kancil.text.tokenizer.CharacterClass.SPACE;

/**
 * Llama 3's pattern, with N of {@code \p{N}{1,N}} as a parameter: 3 there, 1 in Qwen 2. {@code
 * (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|
 * \s*[\r\n]+|\s+(?!\S)|\s+}
 *
 * @param digits the most digits in a word
 * @param endsWhole whether white space at the end of the text is one word even with line ends in
 *     it, as in tiktoken's pattern of cl100k: {@code \s++$} before the others
 */
record Llama3Splitter(int digits, boolean endsWhole) implements Splitter {
  private static final int OTHERS = CharacterClass.ALL & ~(SPACE | LETTER | NUMBER);

  Llama3Splitter(int digits) {
    this(digits, false);
  }

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    for (int at = from; at < to; ) {
      int end = end(text, at, to);
      words.word(text, at, end);
      at = end;
    }
  }

  private int end(byte[] text, int from, int to) {
    byte first = text[from];
    if (first == '\'') {
      int end = Contractions.end(text, from, to, true);
      if (end > from) {
        return end;
      }
    }
    int kind = CharacterClass.at(text, from);
    if (kind == LETTER) {
      return CharacterClass.skip(text, from, to, LETTER);
    }
    if (kind == NUMBER) {
      int end = from;
      for (int i = 0; i < digits && end < to && CharacterClass.at(text, end) == NUMBER; i++) {
        end += Utf8.length(text[end]);
      }
      return end;
    }
    int second = from + Utf8.length(first);
    int secondKind = second < to ? CharacterClass.at(text, second) : 0;
    if (secondKind == LETTER && !WhiteSpace.isLineEnd(first)) {
      return CharacterClass.skip(text, second, to, LETTER);
    }
    if (kind != SPACE || (first == ' ' && (secondKind & OTHERS) != 0)) {
      int end = CharacterClass.skip(text, second, to, OTHERS);
      while (end < to && WhiteSpace.isLineEnd(text[end])) {
        end++;
      }
      return end;
    }
    if (endsWhole && CharacterClass.skip(text, from, to, SPACE) == to) {
      return to;
    }
    return WhiteSpace.endAtLines(text, from, to);
  }
}
