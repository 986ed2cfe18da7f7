package dev.kancil.text.tokenizer;

import java.util.Map;
import java.util.Optional;

/** The patterns that models' files bring and that a hand-written splitter does. */
final class KnownPatterns {
  private static final String LLAMA3_START =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  private static final String LLAMA3_END =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

  static final String QWEN2 = LLAMA3_START + "\\p{N}" + LLAMA3_END;

  private static final Map<String, Splitter> WHOLE =
      Map.of(
          GPT2,
          new Gpt2Splitter(),
          "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          new Gpt2Splitter(),
          LLAMA3_START + "\\p{N}{1,3}" + LLAMA3_END,
          new Llama3Splitter(3),
          QWEN2,
          new Llama3Splitter(1),
          // tiktoken's own writing of it: a run of spaces at the end is one match anyway.
          "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s",
          new Gpt2Splitter());

  private static final Map<String, Splitter> PARTIAL =
      Map.of(
          "\\p{N}{1,3}",
          new RunSplitter(RunSplitter.CharacterSet.ofClasses(CharacterClass.NUMBER), false, 1, 3),
          "\\p{N}",
          new DigitSplitter(),
          "[\\r\\n]",
          RunSplitter.single(code -> code == '\r' || code == '\n'));

  private KnownPatterns() {}

  /** What cuts a text into the matches of a pattern that leaves nothing between them. */
  static Optional<Splitter> splitter(String pattern) {
    return Optional.ofNullable(WHOLE.get(pattern));
  }

  /** What sets the matches of a pattern apart. */
  static Optional<Splitter> partial(String pattern) {
    return Optional.ofNullable(PARTIAL.get(pattern));
  }
}
