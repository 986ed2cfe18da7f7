package dev.kancil.text.tokenizer;

import static dev.kancil.text.tokenizer.CharacterClass.LETTER;
import static dev.kancil.text.tokenizer.CharacterClass.NUMBER;
import static dev.kancil.text.tokenizer.CharacterClass.SPACE;

/**
 * GPT-2's pattern: {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+|
 * ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+} (Radford et al. 2019).
 */
final class Gpt2Splitter implements Splitter {
  private static final int OTHERS = CharacterClass.ALL & ~(SPACE | LETTER | NUMBER);

  @Override
  public void split(byte[] text, int from, int to, Words words) {
    for (int at = from; at < to; ) {
      int end = end(text, at, to);
      words.word(text, at, end);
      at = end;
    }
  }

  private static int end(byte[] text, int from, int to) {
    int start = from;
    if (text[from] == '\'') {
      int end = Contractions.end(text, from, to, false);
      if (end > from) {
        return end;
      }
    } else if (text[from] == ' ' && from + 1 < to) {
      start = from + 1;
    }
    return switch (CharacterClass.at(text, start)) {
      case LETTER -> CharacterClass.skip(text, start, to, LETTER);
      case NUMBER -> CharacterClass.skip(text, start, to, NUMBER);
      case SPACE -> WhiteSpace.end(text, from, to);
      default -> CharacterClass.skip(text, start, to, OTHERS);
    };
  }
}
