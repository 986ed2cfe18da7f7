package dev.kancil.text.tokenizer;

import dev.kancil.text.tokenizer.PatternTranslation.Flavour;
import java.util.Map;
import java.util.Optional;

/**
 * The patterns that models' files bring and that a hand-written splitter does. Each text of one is
 * exactly what files have; a pattern that says the same in other words goes the general way.
 */
final class KnownPatterns {
  private static final String LLAMA3_START =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
  private static final String END = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  static final String QWEN2 = LLAMA3_START + "\\p{N}|" + END;
  static final String GPT2 =
      "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
  static final String GPT2_TIKTOKEN =
      "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| ?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s";
  static final String CL100K =
      "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+"
          + "| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s";
  static final String O200K =
      "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+"
          + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          + "|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*"
          + "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
          + "|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  static final String DEEPSEEK3 =
      "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"
          + "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+"
          + "| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+";

  private static final Map<String, Splitter> WHOLE =
      Map.of(
          GPT2,
          new Gpt2Splitter(),
          GPT2_TIKTOKEN,
          new Gpt2Splitter(),
          LLAMA3_START + "\\p{N}{1,3}|" + END,
          new Llama3Splitter(3),
          QWEN2,
          new Llama3Splitter(1),
          O200K,
          new O200kSplitter());

  private static final Map<String, Splitter> PARTIAL =
      Map.of(
          "\\p{N}{1,3}",
          new RunSplitter(RunSplitter.CharacterSet.ofClasses(CharacterClass.NUMBER), false, 1, 3),
          "\\p{N}",
          new DigitSplitter(),
          "[一-龥぀-ゟ゠-ヿ]+",
          RunSplitter.runs(
              code -> (code >= '一' && code <= '龥') || (code >= 0x3040 && code <= 0x30FF)),
          DEEPSEEK3,
          new DeepSeek3Splitter());

  private KnownPatterns() {}

  /** What cuts a text into the matches of a pattern that leaves nothing between them. */
  static Optional<Splitter> splitter(String pattern, Flavour flavour) {
    // Oniguruma takes the plus behind its interval for another repetition.
    if (flavour == Flavour.RUST && pattern.equals(CL100K)) {
      return Optional.of(new Llama3Splitter(3, true));
    }
    return Optional.ofNullable(WHOLE.get(pattern));
  }

  /** What sets the matches of a pattern apart, and leaves what lies between them whole. */
  static Optional<Splitter> partial(String pattern) {
    return Optional.ofNullable(PARTIAL.get(pattern));
  }
}
