package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.format.gguf.GgufFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Prints how fast texts are encoded, in MB per second. As a program it takes a GGUF file and text
 * files.
 */
class TokenizerSpeedTest {
  /** Far below what any machine does; it only catches a change of complexity. */
  private static final double LOWEST = 1e6;

  @ParameterizedTest
  @ValueSource(strings = {"smollm2", "llama-bpe", "qwen2", "llama-spm", "bert-bge"})
  void encodingIsNotAbsurdlySlow(String name) {
    TokenizerGoldens goldens = TokenizerGoldens.of(name);
    double speed = measure(name, goldens.tokenizer(), wordsOf(goldens.tokenizer()));
    assertThat(speed).isGreaterThan(LOWEST);
  }

  /** Half a megabyte of the vocabulary's own words, common ones more often, with punctuation. */
  private static String wordsOf(Tokenizer tokenizer) {
    Random random = new Random(31);
    StringBuilder text = new StringBuilder();
    while (text.length() < 500_000) {
      double skew = Math.pow(random.nextDouble(), 3);
      int[] id = {(int) (skew * (tokenizer.vocabularySize() - 1))};
      text.append(tokenizer.decode(id)).append(random.nextInt(4) == 0 ? " " : "");
    }
    return text.toString();
  }

  private static double measure(String name, Tokenizer tokenizer, String text) {
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    List<String> documents = new ArrayList<>();
    for (int i = 0; i < text.length(); i += 2048) {
      documents.add(text.substring(i, Math.min(text.length(), i + 2048)));
    }
    double first = bytes / seconds(tokenizer, List.of(text));
    double whole = 0;
    double small = 0;
    for (int i = 0; i < 6; i++) {
      whole = Math.max(whole, bytes / seconds(tokenizer, List.of(text)));
      small = Math.max(small, bytes / seconds(tokenizer, documents));
    }
    System.out.printf(
        "%s, %.1f MB: first time %.1f MB/s, then %.1f MB/s at once and %.1f MB/s in 2 KB documents%n",
        name, bytes / 1e6, first / 1e6, whole / 1e6, small / 1e6);
    return Math.max(whole, small);
  }

  private static double seconds(Tokenizer tokenizer, List<String> documents) {
    long start = System.nanoTime();
    long ids = 0;
    for (String document : documents) {
      ids += tokenizer.encode(document, false, false).length;
    }
    assertThat(ids).isPositive();
    return (System.nanoTime() - start) / 1e9;
  }

  /**
   * @param arguments a GGUF file, then text files
   */
  public static void main(String[] arguments) throws IOException {
    try (GgufFile file = GgufFile.open(Path.of(arguments[0]))) {
      long start = System.nanoTime();
      Tokenizer tokenizer = Tokenizer.of(file.metadata());
      System.out.printf("made in %.0f ms%n", (System.nanoTime() - start) / 1e6);
      for (int i = 1; i < arguments.length; i++) {
        measure(arguments[i], tokenizer, Files.readString(Path.of(arguments[i])));
      }
    }
  }
}
