package dev.kancil.text.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.kancil.testing.TestData;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Small tokenizers of every kind, against the ids of the libraries that define them. */
class HuggingFaceGoldenTest {
  @TempDir static Path folder;

  @BeforeAll
  static void unpack() throws IOException {
    try (ZipFile zip = new ZipFile(TestData.path("tokenizers-hf", "goldens.zip").toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        try (InputStream in = zip.getInputStream(entry)) {
          Files.write(folder.resolve(entry.getName()), in.readAllBytes());
        }
      }
    }
  }

  static Stream<String> names() throws IOException {
    try (ZipFile zip = new ZipFile(TestData.path("tokenizers-hf", "goldens.zip").toFile())) {
      List<String> names =
          zip.stream()
              .map(ZipEntry::getName)
              .filter(name -> name.endsWith(".ids"))
              .map(name -> name.substring(0, name.length() - ".ids".length()))
              .toList();
      return names.stream();
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void idsAndTextsAreThoseOfTheLibrary(String name) {
    ExpectedIds expected = ExpectedIds.read(folder.resolve(name + ".ids"));
    assertThat(expected.texts()).hasSizeGreaterThan(200);
    assertThat(expected.differences(ExpectedIds.tokenizer(folder.resolve(name)))).isEmpty();
  }

  @Test
  void allKindsAreThere() throws IOException {
    assertThat(names())
        .hasSizeGreaterThan(60)
        .anyMatch(name -> name.endsWith(".json"))
        .anyMatch(name -> name.endsWith(".model"))
        .anyMatch(name -> name.endsWith(".tiktoken"));
  }
}
