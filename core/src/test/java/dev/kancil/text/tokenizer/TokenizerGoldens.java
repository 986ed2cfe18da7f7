package dev.kancil.text.tokenizer;

import dev.kancil.format.gguf.GgufFile;
import dev.kancil.testing.TestData;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * Vocabularies with llama.cpp's ids for test texts: those of testdata/tokenizers and those of the
 * larger set that it does not have.
 *
 * @param name the vocabulary's name in file names
 */
record TokenizerGoldens(String name, Path folder) {
  private static final Map<String, Tokenizer> LOADED = new ConcurrentHashMap<>();

  static List<TokenizerGoldens> all() {
    Map<String, TokenizerGoldens> found = new TreeMap<>();
    TestData.goldens("tokenizers").ifPresent(folder -> list(folder, found));
    list(TestData.path("tokenizers"), found);
    return List.copyOf(found.values());
  }

  static TokenizerGoldens of(String name) {
    return new TokenizerGoldens(name, TestData.path("tokenizers"));
  }

  private static void list(Path folder, Map<String, TokenizerGoldens> found) {
    try (Stream<Path> files = Files.list(folder)) {
      files
          .map(file -> file.getFileName().toString())
          .filter(file -> file.endsWith(".gguf") || file.endsWith(".gguf.gz"))
          .map(file -> file.replaceAll("^ggml-vocab-|\\.gguf(\\.gz)?$", ""))
          .forEach(name -> found.put(name, new TokenizerGoldens(name, folder)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Tokenizer tokenizer() {
    return LOADED.computeIfAbsent(name, _ -> load());
  }

  private Tokenizer load() {
    try (GgufFile file = open()) {
      return Tokenizer.of(file.metadata());
    }
  }

  GgufFile open() {
    Path plain = file(".gguf");
    if (Files.exists(plain)) {
      return GgufFile.open(plain);
    }
    try (var in = new GZIPInputStream(Files.newInputStream(file(".gguf.gz")))) {
      Path unpacked = Files.createTempFile("vocabulary", ".gguf");
      try {
        Files.write(unpacked, in.readAllBytes());
        return GgufFile.open(unpacked);
      } finally {
        Files.delete(unpacked);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The short test texts. */
  List<String> texts() {
    return Arrays.asList(read(file(".gguf.inp")).split("\n__ggml_vocab_test__\n", -1));
  }

  /** The ids of {@link #texts}. */
  List<int[]> ids() {
    return Stream.of(read(file(".gguf.out")).split("\n", -1))
        .map(line -> numbers(line.strip().split(" ")))
        .toList();
  }

  /** The text of the tricky ids. Always the project's copy, which has a tab that others lack. */
  static String trickyText() {
    return read(TestData.path("tokenizers", "tricky.txt"));
  }

  int[] trickyIds(boolean parseSpecial) {
    String json = read(file(parseSpecial ? ".tricky.special.ids.json" : ".tricky.ids.json"));
    return numbers(json.replaceAll("[\\[\\]\\s]", "").split(","));
  }

  private static int[] numbers(String[] words) {
    return Stream.of(words).filter(word -> !word.isEmpty()).mapToInt(Integer::parseInt).toArray();
  }

  private Path file(String ending) {
    return folder.resolve("ggml-vocab-" + name + ending);
  }

  private static String read(Path path) {
    try {
      return Files.readString(path, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
