package dev.kancil.text.tokenizer;

import static dev.kancil.text.tokenizer.CharacterClass.LETTER;
import static dev.kancil.text.tokenizer.CharacterClass.NUMBER;
import static dev.kancil.text.tokenizer.CharacterClass.PUNCTUATION;

import dev.kancil.UnsupportedException;
import dev.kancil.text.tokenizer.RunSplitter.CharacterSet;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * How a byte-level vocabulary wants its text cut, by the names that GGUF files use.
 *
 * @param wholeWords whether a word that is a token is that token, whatever the merges say
 * @param addsBeginning whether a text begins with the beginning-of-sequence token where the file
 *     does not say
 */
record PreTokenizer(Splitter splitter, boolean wholeWords, boolean addsBeginning) {
  private static final Map<String, PreTokenizer> BY_NAME = new HashMap<>();

  static {
    CharacterSet numbers = CharacterSet.ofClasses(NUMBER);
    CharacterSet punctuation = CharacterSet.ofClasses(PUNCTUATION);
    Splitter gpt2 = new Gpt2Splitter();
    Splitter threeDigits = new RunSplitter(code -> code >= '0' && code <= '9', false, 3, 3);

    put(gpt2, "gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "exaone4");
    put(gpt2, "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code");
    put(gpt2, "gigachat", "a.x-4.0", "mellum", "modern-bert", "roberta-bpe");

    Splitter digitsApart = new DigitSplitter().then(gpt2);
    put(digitsApart, "starcoder", "smollm", "refact", "command-r", "codeshell", "exaone");
    put(digitsApart, "minerva-7b", "mellum2");

    Splitter llama3 = new Llama3Splitter(3);
    PreTokenizer llama3WholeWords = new PreTokenizer(llama3, true, true);
    for (String name :
        new String[] {
          "llama3",
          "llama-v3",
          "llama-bpe",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2",
          "jina-v5-nano"
        }) {
      BY_NAME.put(name, llama3WholeWords);
    }
    put(llama3, "dbrx", "smaug-bpe", "chatglm-bpe");
    BY_NAME.put("glm4", new PreTokenizer(llama3, true, false));
    BY_NAME.put("glm5", new PreTokenizer(llama3, true, false));

    Splitter qwen2 = new Llama3Splitter(1);
    put(qwen2, "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "stablelm2", "hunyuan");
    put(qwen2, "megrez", "solar-open", "grok-2");

    put(RunSplitter.runs(punctuation.and("$+<=>^~|`")).then(gpt2).then(threeDigits), "falcon");
    put(
        RunSplitter.runs(punctuation.and("$+<=>^~|"))
            .then(gpt2)
            .then(RunSplitter.runs(numbers))
            .then(threeDigits),
        "default");
    put(
        RunSplitter.single(code -> code == '\r' || code == '\n')
            .then(RunSplitter.runsWithLeadingSpace(CharacterSet.ofClasses(LETTER)))
            .then(RunSplitter.runsWithLeadingSpace(punctuation))
            .then(RunSplitter.runs(PreTokenizer::isDeepSeekAsian))
            .then(RunSplitter.single(numbers)),
        "deepseek-coder");
  }

  private static void put(Splitter splitter, String... names) {
    for (String name : names) {
      BY_NAME.put(name, new PreTokenizer(splitter, false, false));
    }
  }

  /** DeepSeek's {@code [一-龥ࠀ-一가-퟿]}. */
  private static boolean isDeepSeekAsian(int code) {
    return (code >= 0x800 && code <= 0x9FA5) || (code >= 0xAC00 && code <= 0xD7FF);
  }

  /**
   * @param file what errors call the file
   */
  static PreTokenizer of(String file, String name) {
    PreTokenizer preTokenizer = BY_NAME.get(name);
    if (preTokenizer == null) {
      throw new UnsupportedException(
          file
              + ": the pre-tokenizer "
              + name
              + " is not supported; supported are "
              + String.join(", ", new TreeSet<>(BY_NAME.keySet())));
    }
    return preTokenizer;
  }
}
