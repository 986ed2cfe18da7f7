package dev.kancil.text.tokenizer;

import static dev.kancil.text.tokenizer.CharacterClass.LETTER;
import static dev.kancil.text.tokenizer.CharacterClass.NUMBER;
import static dev.kancil.text.tokenizer.CharacterClass.PUNCTUATION;

import dev.kancil.UnsupportedException;
import dev.kancil.text.tokenizer.RunSplitter.CharacterSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * How a byte-level vocabulary wants its text cut, by the names that GGUF files use.
 *
 * @param wholeWords whether a word that is a token is that token, whatever the merges say
 * @param addsBeginning whether a text begins with the beginning-of-sequence token where the file
 *     does not say
 */
record PreTokenizer(Splitter splitter, boolean wholeWords, boolean addsBeginning) {
  private static final List<String> GPT2 =
      List.of(
          "gpt-2",
          "phi-2",
          "mpt",
          "olmo",
          "jais",
          "trillion",
          "granite-docling",
          "exaone4",
          "jina-es",
          "jina-de",
          "jina-v1-en",
          "jina-v2-es",
          "jina-v2-de",
          "jina-v2-code",
          "gigachat",
          "a.x-4.0",
          "mellum",
          "modern-bert",
          "roberta-bpe");
  private static final List<String> GPT2_AND_SINGLE_DIGITS =
      List.of(
          "starcoder",
          "smollm",
          "refact",
          "command-r",
          "codeshell",
          "exaone",
          "minerva-7b",
          "mellum2");
  private static final List<String> LLAMA3 = List.of("dbrx", "smaug-bpe", "chatglm-bpe");
  private static final List<String> LLAMA3_AND_WHOLE_WORDS = List.of("glm4", "glm5");
  private static final List<String> LLAMA3_ITSELF =
      List.of(
          "llama-bpe",
          "llama3",
          "llama-v3",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2",
          "jina-v5-nano");
  private static final List<String> QWEN2 =
      List.of(
          "qwen2",
          "deepseek-r1-qwen",
          "kormo",
          "f2llmv2",
          "stablelm2",
          "hunyuan",
          "megrez",
          "solar-open",
          "grok-2");
  private static final List<String> OTHERS = List.of("default", "falcon", "deepseek-coder");

  /**
   * @param file what errors call the file
   */
  static PreTokenizer of(String file, String name) {
    if (GPT2.contains(name)) {
      return new PreTokenizer(new Gpt2Splitter(), false, false);
    }
    if (GPT2_AND_SINGLE_DIGITS.contains(name)) {
      return new PreTokenizer(new DigitSplitter().then(new Gpt2Splitter()), false, false);
    }
    if (LLAMA3.contains(name)) {
      return new PreTokenizer(new Llama3Splitter(3), false, false);
    }
    if (LLAMA3_AND_WHOLE_WORDS.contains(name)) {
      return new PreTokenizer(new Llama3Splitter(3), true, false);
    }
    if (LLAMA3_ITSELF.contains(name)) {
      return new PreTokenizer(new Llama3Splitter(3), true, true);
    }
    if (QWEN2.contains(name)) {
      return new PreTokenizer(new Llama3Splitter(1), false, false);
    }
    return new PreTokenizer(
        switch (name) {
          case "default" -> standard();
          case "falcon" -> falcon();
          case "deepseek-coder" -> deepSeekCoder();
          default -> throw unsupported(file, name);
        },
        false,
        false);
  }

  private static Splitter standard() {
    return RunSplitter.runs(CharacterSet.ofClasses(PUNCTUATION).and("$+<=>^~|"))
        .then(new Gpt2Splitter())
        .then(RunSplitter.runs(CharacterSet.ofClasses(NUMBER)))
        .then(threeDigits());
  }

  private static Splitter falcon() {
    return RunSplitter.runs(CharacterSet.ofClasses(PUNCTUATION).and("$+<=>^~|`"))
        .then(new Gpt2Splitter())
        .then(threeDigits());
  }

  private static Splitter deepSeekCoder() {
    return RunSplitter.single(code -> code == '\r' || code == '\n')
        .then(RunSplitter.runsWithLeadingSpace(CharacterSet.ofClasses(LETTER)))
        .then(RunSplitter.runsWithLeadingSpace(CharacterSet.ofClasses(PUNCTUATION)))
        .then(RunSplitter.runs(PreTokenizer::isDeepSeekAsian))
        .then(RunSplitter.single(CharacterSet.ofClasses(NUMBER)));
  }

  private static Splitter threeDigits() {
    return new RunSplitter(code -> code >= '0' && code <= '9', false, 3, 3);
  }

  /** DeepSeek's {@code [一-龥ࠀ-一가-퟿]}. */
  private static boolean isDeepSeekAsian(int code) {
    return (code >= 0x800 && code <= 0x9FA5) || (code >= 0xAC00 && code <= 0xD7FF);
  }

  private static UnsupportedException unsupported(String file, String name) {
    Set<String> names = new TreeSet<>();
    for (List<String> group :
        List.of(
            GPT2,
            GPT2_AND_SINGLE_DIGITS,
            LLAMA3,
            LLAMA3_AND_WHOLE_WORDS,
            LLAMA3_ITSELF,
            QWEN2,
            OTHERS)) {
      names.addAll(group);
    }
    return new UnsupportedException(
        file
            + ": the pre-tokenizer "
            + name
            + " is not supported; supported are "
            + String.join(", ", names));
  }
}
