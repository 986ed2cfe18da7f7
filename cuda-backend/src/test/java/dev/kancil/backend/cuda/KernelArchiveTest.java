package dev.kancil.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelArchiveTest {
  static final String PTX = ".version 9.1\n.target sm_80\n.entry f() { ret; }\n";
  private static final String HASH = "0123456789abcdef".repeat(4);
  private static final String FIRST = "kancil kernels 1\n";

  @TempDir private Path folder;

  /** An archive of two kernels. */
  static void write(Path file) {
    KernelArchiveWriter writer = new KernelArchiveWriter();
    writer.add(KernelTarget.COMPUTE_80, "a", "x", (PTX + "\0").getBytes(StandardCharsets.US_ASCII));
    writer.add(
        KernelTarget.COMPUTE_90A, "b", "x", (PTX + "\0").getBytes(StandardCharsets.US_ASCII));
    writer.write(file);
  }

  @Test
  void kernelsAreFoundByTargetSourceAndOptions() {
    Path file = folder.resolve("a.jar");
    write(file);
    KernelArchive archive = KernelArchive.open(file);
    assertThat(archive.targets())
        .containsExactly(KernelTarget.COMPUTE_80, KernelTarget.COMPUTE_90A);
    assertThat(archive.find(KernelTarget.COMPUTE_80, "a", "x"))
        .asString(StandardCharsets.US_ASCII)
        .isEqualTo(PTX.replace("9.1", "8.0") + "\0");
    assertThat(archive.find(KernelTarget.COMPUTE_90A, "b", "x")).isNotNull();
    assertThat(archive.find(KernelTarget.COMPUTE_75, "a", "x")).isNull();
    assertThat(archive.find(KernelTarget.COMPUTE_80, "b", "x")).isNull();
    assertThat(archive.find(KernelTarget.COMPUTE_80, "a", "y")).isNull();
  }

  @Test
  void theSameKernelsAreTheSameBytes() throws IOException {
    write(folder.resolve("a.jar"));
    write(folder.resolve("b.jar"));
    assertThat(folder.resolve("a.jar")).hasSameBinaryContentAs(folder.resolve("b.jar"));
    try (var files = Files.list(folder)) {
      assertThat(files).hasSize(2);
    }
  }

  @Test
  void ptxOfOlderCompilersStaysWhatItIs() {
    assertThat(KernelArchiveWriter.forDrivers(".version 7.8\n.target")).startsWith(".version 7.8");
    assertThat(KernelArchiveWriter.forDrivers("// a\n.version 8.4\n.target"))
        .isEqualTo("// a\n.version 8.0\n.target");
    assertThat(KernelArchiveWriter.forDrivers("none")).isEqualTo("none");
  }

  @Test
  void aFolderThatIsNotThereIsOneLine() {
    assertThatThrownBy(() -> write(folder.resolve("none/a.jar")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("can't be written");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "kancil kernels 2\n",
        "kancil kernels 1\n",
        "kancil kernels 1\n80 HASH 10 HASH",
        "kancil kernels 1\n80 HASH 10 HASH\n80 HASH 11 HASH\n",
        "kancil kernels 1\n\n80 HASH 10 HASH\n",
        "kancil kernels 1\n81 HASH 10 HASH\n",
        "kancil kernels 1\n80 HASH 0 HASH\n",
        "kancil kernels 1\n80 HASH 16777217 HASH\n",
        "kancil kernels 1\n80 HASH 999999999 HASH\n",
        "kancil kernels 1\n80 HASH -1 HASH\n",
        "kancil kernels 1\n80 ../../x 10 HASH\n",
        "kancil kernels 1\n80 HASH 10 HASH \n"
      })
  void anIndexThatIsNoneIsOneLine(String text) {
    assertThatThrownBy(() -> KernelIndex.parse("k.jar", text.replace("HASH", HASH)))
        .isInstanceOf(FormatException.class)
        .hasMessageStartingWith("k.jar: ")
        .hasMessageNotContaining("\n");
  }

  private Path zip(Map<String, String> entries) throws IOException {
    Path file = folder.resolve("zip.jar");
    try (OutputStream stream = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(stream)) {
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue().getBytes(StandardCharsets.US_ASCII));
      }
    }
    return file;
  }

  @Test
  void aZipWithoutKernelsSaysSo() throws IOException {
    assertThatThrownBy(() -> KernelArchive.open(zip(Map.of("a", "b"))))
        .isInstanceOf(FormatException.class)
        .hasMessageContaining("there are no kernels in it");
  }

  /** Shorter, longer by far, changed, and missing. */
  @Test
  void aKernelThatIsNotWhatTheIndexSaysIsRefused() throws IOException {
    KernelIndex.Key key = KernelIndex.Key.of(KernelTarget.COMPUTE_80, "a", "x");
    KernelIndex.Entry entry = KernelIndex.Entry.of(PTX.getBytes(StandardCharsets.US_ASCII));
    String line = "80 " + key.source() + " " + entry.bytes() + " " + entry.hash() + "\n";
    String path = KernelArchive.FOLDER + key.path();
    for (String content :
        List.of("", PTX.substring(1), PTX + "\0".repeat(100_000_000), PTX.replace("ret", "bra"))) {
      KernelArchive archive =
          KernelArchive.open(zip(Map.of(KernelArchive.INDEX, FIRST + line, path, content)));
      assertThatThrownBy(() -> archive.find(KernelTarget.COMPUTE_80, "a", "x"))
          .isInstanceOf(FormatException.class)
          .hasMessageContaining("it is damaged");
    }
    KernelArchive empty = KernelArchive.open(zip(Map.of(KernelArchive.INDEX, FIRST + line)));
    assertThatThrownBy(() -> empty.find(KernelTarget.COMPUTE_80, "a", "x"))
        .isInstanceOf(FormatException.class);
  }

  /** What one can do with an archive, whatever it is: no other error than one of one line. */
  static void tryToRead(Path file) {
    try {
      KernelArchive archive = KernelArchive.open(file);
      archive.targets();
      archive.find(KernelTarget.COMPUTE_80, "a", "x");
      archive.find(KernelTarget.COMPUTE_90A, "b", "x");
    } catch (FormatException e) {
      assertThat(e.getMessage()).startsWith(file + ": ").doesNotContain("\n");
    }
  }

  @Test
  void whateverIsCutOrChangedIsReadOrRefused() throws IOException {
    Path file = folder.resolve("a.jar");
    write(file);
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length++) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> KernelArchive.open(file)).isInstanceOf(FormatException.class);
    }
    SplittableRandom random = new SplittableRandom(5);
    for (int i = 0; i < 3000; i++) {
      byte[] changed = whole.clone();
      for (int j = random.nextInt(3); j >= 0; j--) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt();
      }
      Files.write(file, changed);
      tryToRead(file);
    }
  }
}
