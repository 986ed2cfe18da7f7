package dev.kancil.cli;

import dev.kancil.testing.RealModels;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is wrong, the command ends with status 1 and one line that says what. */
final class BadInputTest {
  @TempDir private Path folder;

  private static void runFails(Path model, String... texts) {
    CommandRun.of("run", model.toString(), "-p", "x", "-n", "1").failsWith(texts);
  }

  /** The demo model with one text of its metadata replaced by another of the same length. */
  private Path altered(String text, String replacement) throws IOException {
    Path copy = copy();
    try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
      byte[] start = new byte[4 << 20];
      file.readFully(start);
      String latin = new String(start, StandardCharsets.ISO_8859_1);
      file.seek(latin.indexOf(text));
      file.write(replacement.getBytes(StandardCharsets.ISO_8859_1));
    }
    return copy;
  }

  private Path copy() throws IOException {
    Path copy = folder.resolve("model.gguf");
    Files.deleteIfExists(copy);
    return Files.copy(RealModels.SMOLLM2.path(), copy);
  }

  @Test
  void missingFileFolderAndForeignFile() throws IOException {
    runFails(folder.resolve("no.gguf"), "no.gguf", "no such file");
    runFails(folder, folder.toString(), "folder");
    Path text = Files.writeString(folder.resolve("text.gguf"), "not a model at all, just text");
    runFails(text, "text.gguf", "not a GGUF file");
    runFails(Files.createFile(folder.resolve("empty.gguf")), "empty.gguf");
  }

  @Test
  void truncatedModel() throws IOException {
    Path copy = copy();
    for (long size : new long[] {20, 1000, 1_000_000, 50_000_000}) {
      try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
        file.setLength(size);
      }
      runFails(copy, "model.gguf");
      copy = copy();
    }
  }

  @Test
  void unknownArchitectureNamesTheKnownOnes() throws IOException {
    Path model =
        altered(
            "general.architecture\b\0\0\0\5\0\0\0\0\0\0\0llama",
            "general.architecture\b\0\0\0\5\0\0\0\0\0\0\0klama");
    runFails(model, "architecture klama is not supported", "llama");
  }

  @Test
  void missingAndMisshapenTensors() throws IOException {
    runFails(altered("blk.3.attn_q.weight", "blk.3.attn_x.weight"), "blk.3.attn_q.weight");
  }

  @Test
  void promptLongerThanTheContext() {
    CommandRun.of(
            "run",
            RealModels.SMOLLM2.path().toString(),
            "-p",
            "many words ".repeat(200),
            "--ctx",
            "64")
        .failsWith("context holds 64");
  }

  @Test
  void optionsOutOfRange() {
    String model = RealModels.SMOLLM2.path().toString();
    CommandRun.of("run", model, "-p", "x", "--temperature", "-1").failsWith("temperature");
    CommandRun.of("run", model, "-p", "x", "--top-p", "0").failsWith("top-p");
    CommandRun.of("run", model, "-p", "x", "-n", "0").failsWith("max tokens");
    CommandRun.of("run", model, "-p", "x", "--ctx", "99999999").failsWith("context length");
    CommandRun.of("run", model, "-p", "x", "--threads", "-3").failsWith("threads");
    CommandRun.of("run", model, "-p", "x", "--device", "abacus").failsWith("abacus", "cpu");
    CommandRun.of("run", model, "-p", "x", "--logit-bias", "99999999=1").failsWith("99999999");
    CommandRun.of("run", model, "--raw", "-p", "").failsWith("no tokens");
    CommandRun.of("bench", model, "-p", "0").failsWith("-p");
    CommandRun.of("forward", model, "--tokens", "99999999", "--output", folder + "/x")
        .failsWith("99999999");
    CommandRun.of("forward", model, "--tokens", "1", "--capture", "none", "--output", folder + "/x")
        .failsWith("none");
    CommandRun.of("forward", model, "--tokens", "1", "--output", folder + "/no/such/folder")
        .failsWith("can't be written");
  }

  @Test
  void syntheticModelThatIsNotThereOrCanNotAnswer() {
    CommandRun.of("bench", "synthetic:llama-9b:F16").failsWith("no shape llama-9b", "llama-8b");
    CommandRun.of("bench", "synthetic:tiny:Q9").failsWith("no type Q9", "Q4_K_M");
    CommandRun.of("bench", "synthetic:tiny").failsWith("SHAPE:TYPE");
    String tiny = "synthetic:tiny:F16";
    for (String[] command :
        new String[][] {
          {"run", tiny, "-p", "x"},
          {"chat", tiny},
          {"show", tiny},
          {"tokenize", tiny, "x"},
          {"forward", tiny, "--tokens", "1", "--output", folder + "/x"}
        }) {
      CommandRun.of(command).failsWith(tiny, "kancil bench");
    }
  }

  @Test
  void conversationThatIsNone() throws IOException {
    Path template = Files.writeString(folder.resolve("t.jinja"), "{{ messages[0].content }}");
    CommandRun.withInput("[1", "template", template.toString(), "--conversation", "-")
        .failsWith("not a JSON object");
    CommandRun.withInput("{}", "template", template.toString(), "--conversation", "-")
        .failsWith("messages");
    Path broken = Files.writeString(folder.resolve("b.jinja"), "\n{% if x %}");
    CommandRun.withInput("{\"messages\": []}", "template", broken.toString(), "--conversation", "-")
        .failsWith("b.jinja");
  }

  @Test
  void cacheThatCanNotBeUsed() throws IOException {
    Path file = Files.createFile(folder.resolve("file"));
    CommandRun.withCache(file, "list").failsWith(file.toString());
    CommandRun.withCache(file, "pull", "pypi:nothing-of-this-name").failsWith(file.toString());
    CommandRun.of("pull", "no-such-name").failsWith("no-such-name");
    CommandRun.of("pull", "pypi:../x").failsWith("pypi:../x");
    CommandRun.of("pull", "https://127.0.0.1/x.zip").failsWith(".gguf");
  }
}
